"""The steps of a day as commands, in order."""

from typing import Annotated, Literal

import typer

from ingestion.errors import BadRequest
from pipeline.cli.completion import a_source
from pipeline.cli.options import (
    AcceptDrift,
    AcceptShrink,
    AcceptStale,
    AllowOlder,
    DryRun,
    Output,
    Quiet,
    RunDate,
    SourceNames,
    Target,
    day_of,
    examples,
    reporter_for,
    request_for,
    working,
)

steps_app = typer.Typer()


@steps_app.command(
    epilog=examples(
        "tradewinds extract --run-date 2021-01-02",
        f"tradewinds extract --run-date 2021-01-02 --source {a_source('postgres')} --table orders",
        f"tradewinds extract --run-date 2021-01-02 --source {a_source('api')} --from-raw",
    )
)
def extract(
    run_date: RunDate = None,
    source: SourceNames = None,
    table: Annotated[
        list[str] | None, typer.Option("--table", help="Only this table of the source; repeatable.")
    ] = None,
    from_raw: Annotated[bool, typer.Option("--from-raw", help="Rebuild the day from its kept API answers.")] = False,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Reuse a source's landed day instead of reading it again.")
    ] = False,
    accept_drift: AcceptDrift = False,
    accept_shrink: AcceptShrink = False,
    target: Target = "duckdb",
    quiet: Quiet = False,
    output: Output = "text",
) -> None:
    """Read the sources into landing; replaces a landed day."""
    day, request = day_of(run_date), request_for(target, source, reporter=reporter_for(quiet, output))
    from pipeline.run import steps
    from pipeline.run.interrupts import ended_soon

    if table and len(request.sources) != 1:
        raise BadRequest("--table needs the one --source it belongs to")
    if if_missing and (table or from_raw):
        raise BadRequest("--if-missing takes what has landed as it is; --table and --from-raw land it again")
    guards = {"accept_drift": accept_drift, "accept_shrink": accept_shrink}
    with ended_soon():
        steps.extract(request, day, tables=table, from_raw=from_raw, only_missing=if_missing, **guards)


@steps_app.command(epilog=examples("tradewinds load --run-date 2021-01-02"))
def load(
    run_date: RunDate = None,
    target: Target = "duckdb",
    source: SourceNames = None,
    quiet: Quiet = False,
    output: Output = "text",
) -> None:
    """Load a landed day into the warehouse's raw schemas."""
    from pipeline.run import steps

    day = day_of(run_date)
    with working(target, source, reporter=reporter_for(quiet, output)) as request:
        steps.load(request, day)


@steps_app.command(
    epilog=examples(
        "tradewinds build --run-date 2021-01-02",
        f"tradewinds build --run-date 2021-01-02 --source {a_source('csv')} --target postgres",
    )
)
def build(
    run_date: RunDate = None,
    target: Target = "duckdb",
    source: SourceNames = None,
    quiet: Quiet = False,
    output: Output = "text",
) -> None:
    """Run dbt for a loaded day: staging, marts and their tests."""
    from pipeline.run import steps

    day = day_of(run_date)
    with working(target, source, reporter=reporter_for(quiet, output)) as request:
        steps.build(request, day)


@steps_app.command(
    epilog=examples(
        "tradewinds check --run-date 2021-01-02 --stage arrivals",
        "tradewinds check --run-date 2021-01-02",
    )
)
def check(
    run_date: RunDate = None,
    stage: Annotated[
        Literal["arrivals", "marts"], typer.Option("--stage", help="Check the loaded rows or the built marts.")
    ] = "marts",
    target: Target = "duckdb",
    source: SourceNames = None,
    accept_shrink: AcceptShrink = False,
    accept_stale: AcceptStale = False,
    quiet: Quiet = False,
    output: Output = "text",
) -> None:
    """Validate a loaded day, or its built marts, against the suites of tests/expectations."""
    from pipeline.run import steps

    day = day_of(run_date)
    with working(target, source, reporter=reporter_for(quiet, output)) as request:
        steps.check(request, day, stage, accept_shrink=accept_shrink, accept_stale=accept_stale)


@steps_app.command(
    epilog=examples(
        "tradewinds publish --run-date 2021-01-02 --dry-run",
        "tradewinds publish --run-date 2021-01-02",
    )
)
def publish(
    run_date: RunDate = None,
    target: Target = "duckdb",
    source: SourceNames = None,
    allow_older: AllowOlder = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    output: Output = "text",
) -> None:
    """Write the exports of a built and checked day, and publish its marts."""
    from pipeline.run import steps

    day = day_of(run_date)
    with working(target, source, reporter=reporter_for(quiet, output)) as request:
        steps.publish(request, day, allow_older=allow_older, dry_run=dry_run)
