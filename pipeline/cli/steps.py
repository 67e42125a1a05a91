"""The steps of a day as commands, in order."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ingestion.errors import BadRequest
from pipeline.cli.completion import a_source
from pipeline.cli.options import (
    TODAY,
    AcceptDrift,
    AcceptShrink,
    AcceptStale,
    AllowOlder,
    DryRun,
    RunDate,
    command,
    shown,
)

if TYPE_CHECKING:
    from pipeline.run.request import Request

steps_app = typer.Typer()


@contextmanager
def _without_warehouse(_: "Request") -> Iterator[None]:
    from pipeline.run.interrupts import ended_soon

    with ended_soon():
        yield


@command(
    steps_app,
    "tradewinds extract --run-date 2021-01-02",
    f"tradewinds extract --run-date 2021-01-02 --source {a_source('postgres')} --table orders",
    f"tradewinds extract --run-date 2021-01-02 --source {a_source('api')} --from-raw",
    during=_without_warehouse,
)
def extract(
    request: "Request",
    run_date: RunDate = TODAY,
    table: Annotated[
        list[str] | None, typer.Option("--table", help="Only this table of the source; repeatable.")
    ] = None,
    from_raw: Annotated[bool, typer.Option("--from-raw", help="Rebuild the day from its kept API answers.")] = False,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Reuse a source's landed day instead of reading it again.")
    ] = False,
    accept_drift: AcceptDrift = False,
    accept_shrink: AcceptShrink = False,
) -> None:
    """Read the sources into landing; replaces a landed day."""
    from pipeline.run.extracting import Manner, extract_sources

    if table and len(request.sources) != 1:
        raise BadRequest("--table needs the one --source it belongs to")
    if if_missing and (table or from_raw):
        raise BadRequest("--if-missing reuses landed days; it can't be combined with --table or --from-raw")
    extract_sources(request, run_date, Manner(table, accept_drift, accept_shrink, if_missing, from_raw))


@command(steps_app, "tradewinds load --run-date 2021-01-02")
def load(request: "Request", run_date: RunDate = TODAY) -> None:
    """Load a landed day into the warehouse's raw schemas."""
    from pipeline.run import steps

    steps.load(request, run_date)


@command(
    steps_app,
    "tradewinds build --run-date 2021-01-02",
    f"tradewinds build --run-date 2021-01-02 --source {a_source('csv')} --target postgres",
)
def build(request: "Request", run_date: RunDate = TODAY) -> None:
    """Run dbt for a loaded day: staging, marts and their tests."""
    from pipeline.run import steps

    steps.build(request, run_date)


@command(
    steps_app,
    "tradewinds check --run-date 2021-01-02 --stage arrivals",
    "tradewinds check --run-date 2021-01-02",
)
def check(
    request: "Request",
    run_date: RunDate = TODAY,
    stage: Annotated[
        Literal["arrivals", "marts"], typer.Option("--stage", help="Check the loaded rows or the built marts.")
    ] = "marts",
    accept_shrink: AcceptShrink = False,
    accept_stale: AcceptStale = False,
) -> None:
    """Validate a loaded day, or its built marts, against the suites of tests/expectations."""
    from pipeline.run import steps

    with shown(request):
        steps.check(request, run_date, stage, accept_shrink=accept_shrink, accept_stale=accept_stale)


@command(
    steps_app,
    "tradewinds publish --run-date 2021-01-02 --dry-run",
    "tradewinds publish --run-date 2021-01-02",
)
def publish(
    request: "Request", run_date: RunDate = TODAY, allow_older: AllowOlder = False, dry_run: DryRun = False
) -> None:
    """Write the exports of a built and checked day, and publish its marts."""
    from pipeline.run import steps

    with nullcontext() if dry_run else shown(request):
        steps.publish(request, run_date, allow_older=allow_older, dry_run=dry_run)
