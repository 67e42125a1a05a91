"""The two parts of a day with slow imports, dbt and the checks, run here or in workers."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ingestion.errors import TradewindsError
from ingestion.settings import Home
from ingestion.warehouse import open_warehouse
from pipeline.dbt import BuildResult, Dbt, HistoryBehind
from pipeline.run.reporter import Reporter
from pipeline.run.request import Request
from pipeline.run.worker import Worker

if TYPE_CHECKING:
    from pipeline.checks import CheckResult


@contextmanager
def prepared(request: Request) -> Iterator[Request]:
    """Yield the request with workers that prepare its later steps meanwhile; they end with the block.

    A process that has already imported everything needs no workers.
    """
    if all(module in sys.modules for module in ("dbt.cli.main", "great_expectations")):
        yield request
        return
    with (
        Worker("the checks", prepare_checks) as checks,
        Worker("dbt", prepare_dbt, request.target, request.home) as dbt,
    ):
        yield replace(request, workers={"dbt": dbt, "checks": checks})


def prepare_dbt(target: str, home: Home) -> Dbt:
    """Return the project at a target, parsed."""
    open_warehouse(target, home).join()
    dbt = Dbt(target, home)
    dbt.prepare()
    return dbt


def prepare_checks() -> None:
    """Import the checks' libraries."""
    from pipeline.checks.run import prepare

    prepare()


def build_day(dbt: Dbt, run_date: str, sources: list[str], *, reporter: Reporter) -> BuildResult:
    """Build a day, completely or for these sources; replay the days in between if history is behind.

    This releases the warehouse at the end.
    """

    def report(name: str, status: str, seconds: float | None) -> None:
        if seconds is None:
            reporter.show(f"{status}  {name}")
        elif status == "success":
            reporter.line("build", name, None, seconds)
        elif status not in ("pass", "skipped"):
            reporter.line("build", name, None, seconds, status)

    try:
        select = dbt.nodes_of_sources(sources) if sources else []
        try:
            result = dbt.build(run_date, select=select, on_node=report)
        except HistoryBehind:
            for day in dbt.history_gaps(run_date):
                dbt.replay_history(day)
                reporter.line("build", f"history of {day}", None, None, "replayed")
            result = dbt.build(run_date, select=select, on_node=report)
    finally:
        dbt.release()
    with suppress(TradewindsError):  # events then have no columns' lineage
        return replace(result, tables=dbt.lineage())
    return result


def check_stage(_: None, *what: Any, reporter: Reporter) -> "CheckResult":
    """Run a stage's suites, as `run_checks` does, whose arguments these are."""
    from pipeline.checks import run_checks

    return run_checks(*what)
