"""Run a stage's suites on a warehouse and write their results."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ingestion.settings import Home
from ingestion.warehouse import Warehouse
from pipeline.checks.data_docs import SuiteRun, write_data_docs
from pipeline.checks.findings import CheckResult, findings_of
from pipeline.checks.suites import Stage, read_suites

if TYPE_CHECKING:
    from great_expectations.checkpoint import CheckpointResult


def prepare() -> None:
    """Import Great Expectations, which takes seconds; only checks need it."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    # Only charts and two distribution tests need these, a quarter of its imports.
    with _imported_later("altair", "scipy.stats"):
        from pipeline.checks import engine, validation  # noqa: F401


def run_checks(
    stage: Stage,
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
            findings = [found for outcome in outcomes for found in findings_of(outcome, accepted)]
            runs.append(SuiteRun(suite, outcomes, findings))
        pages.append(write_data_docs(home, stage, run_date, runs))

    with open_audit(warehouse) as audit:
        arrivals = read_arrivals(audit.engine, run_date)
        words = []
        for suite in suites:
            arrived = [arrival for arrival in arrivals if arrival.source in suite.sources]
            words.append((suite, Vocabulary(audit.engine, run_date, arrived, warehouse)))
        if definitions := define_validations(audit, words, errors):
            run_checkpoint(f"{run_date} {stage}", definitions, write)
        else:
            write(None)
    passed = [outcome.passed for run in runs for outcome in run.outcomes]
    findings = [finding for run in runs for finding in run.findings]
    return CheckResult(passed.count(True), passed.count(False), findings, pages[0])


class _Later(ModuleType):
    """A placeholder that imports its module on the first attribute access."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import itself reads these of every module
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


@contextmanager
def _imported_later(*names: str) -> Iterator[None]:
    """Replace imports of these modules in the block by placeholders, which import them on first use after it."""
    missing = [name for name in names if name not in sys.modules]
    sys.modules.update({name: _Later(name) for name in missing})
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]
