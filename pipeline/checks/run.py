"""Run a stage's suites on a warehouse and write their results."""

import os

from ingestion.settings import Home
from ingestion.warehouse import Warehouse
from pipeline.checks.data_docs import SuiteRun, write_data_docs
from pipeline.checks.findings import CheckResult, Stage
from pipeline.checks.judging import findings_of
from pipeline.checks.later import imported_later
from pipeline.checks.suites import read_suites


def prepare() -> None:
    """Import Great Expectations, which takes seconds; only checks need it."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    # Only charts and two distribution tests need these, a quarter of its imports.
    with imported_later("altair", "scipy.stats"):
        from pipeline.checks import engine, validation  # noqa: F401


def run_checks(
    stage: Stage,
    *,
    warehouse: Warehouse,
    home: Home,
    run_date: str,
    sources: list[str] | None,
    accepted: frozenset[str] = frozenset(),
) -> CheckResult:
    """Run the stage's suites, write the results into the home's Data Docs, and return them.

    With `sources`, only suites that depend on no other sources run. `accepted` holds the words ("shrink", "stale") that
    accept the findings naming them.
    """
    prepare()
    from pipeline.checks.engine import open_audit
    from pipeline.checks.landed import read_arrivals
    from pipeline.checks.validation import validate_suite
    from pipeline.checks.vocabulary import Vocabulary

    runs = []
    with open_audit(warehouse) as audit:
        for suite in read_suites(stage, sources):
            arrivals = read_arrivals(audit.engine, run_date, suite.sources)
            vocabulary = Vocabulary(audit.engine, run_date, arrivals, warehouse.built_relation)
            outcomes = validate_suite(audit, suite, vocabulary)
            findings = [found for outcome in outcomes for found in findings_of(suite, outcome, accepted)]
            runs.append(SuiteRun(suite, outcomes, findings))
    page = write_data_docs(home, stage, run_date, runs)
    outcomes = [outcome for run in runs for outcome in run.outcomes]
    return CheckResult(
        stage=stage,
        passed=sum(outcome.passed for outcome in outcomes),
        failed=sum(not outcome.passed for outcome in outcomes),
        findings=[finding for run in runs for finding in run.findings],
        page=page,
    )
