"""Run a stage's suites on a warehouse and write them up."""

import os

from ingestion.settings import Home
from ingestion.warehouse import Warehouse
from pipeline.checks.data_docs import SuiteRun, write_data_docs
from pipeline.checks.findings import CheckResult, Stage
from pipeline.checks.judging import findings_of
from pipeline.checks.later import imported_later
from pipeline.checks.suites import read_suites


def prepare() -> None:
    """Import Great Expectations, which takes seconds: only a check pays for it, and only once a process."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    # A quarter of all that it imports only pictures and two tests of distributions want.
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
    """Return what the stage's suites find, after writing it into the home's Data Docs.

    Without sources all suites are run, with them those that stand on no others. `accepted` holds the words
    ("shrink", "stale") that acknowledge findings which name them.
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
    write_data_docs(home, stage, run_date, runs)
    outcomes = [outcome for run in runs for outcome in run.outcomes]
    return CheckResult(
        stage=stage,
        passed=sum(outcome.passed for outcome in outcomes),
        failed=sum(not outcome.passed for outcome in outcomes),
        findings=[finding for run in runs for finding in run.findings],
    )
