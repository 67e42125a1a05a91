"""Run a stage's suites on a warehouse and write their results."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.settings import Home
from ingestion.warehouse import Warehouse
from pipeline.checks.data_docs import SuiteRun, write_data_docs
from pipeline.checks.findings import CheckResult, Stage
from pipeline.checks.judging import findings_of
from pipeline.checks.later import imported_later
from pipeline.checks.suites import read_suites

if TYPE_CHECKING:
    from great_expectations.checkpoint import CheckpointResult


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
    """Run the stage's suites as one checkpoint, write the results into the home's Data Docs, and return them.

    With `sources`, only suites that depend on no other sources run. `accepted` holds the words ("shrink", "stale") that
    accept the findings naming them.
    """
    prepare()
    from pipeline.checks.engine import open_audit
    from pipeline.checks.landed import read_arrivals
    from pipeline.checks.validation import define_validations, outcomes_of, run_checkpoint
    from pipeline.checks.vocabulary import Vocabulary

    suites = read_suites(stage, sources)
    runs: list[SuiteRun] = []
    errors: dict[str, str] = {}
    pages: list[Path] = []

    def write(result: "CheckpointResult | None") -> None:
        for suite in suites:
            outcomes = outcomes_of(suite, result, errors)
            findings = [found for outcome in outcomes for found in findings_of(suite, outcome, accepted)]
            runs.append(SuiteRun(suite, outcomes, findings))
        pages.append(write_data_docs(home, stage, run_date, runs))

    with open_audit(warehouse) as audit:
        arrivals = read_arrivals(audit.engine, run_date)
        words = [
            Vocabulary(
                audit.engine,
                run_date,
                [arrival for arrival in arrivals if arrival.source in suite.sources],
                warehouse.built_relation,
            )
            for suite in suites
        ]
        definitions = define_validations(audit, list(zip(suites, words, strict=True)), errors)
        if definitions:
            run_checkpoint(f"{run_date} {stage}", definitions, write)
        else:
            write(None)
    outcomes = [outcome for run in runs for outcome in run.outcomes]
    return CheckResult(
        stage=stage,
        passed=sum(outcome.passed for outcome in outcomes),
        failed=sum(not outcome.passed for outcome in outcomes),
        findings=[finding for run in runs for finding in run.findings],
        page=pages[0],
    )
