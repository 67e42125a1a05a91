"""The commands of a day: run it, run many, and each step alone."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

import typer

from ingestion.errors import BadRequest
from pipeline.cli.completion import a_source
from pipeline.cli.options import TODAY, AllowOlder, DryRun, Request, RunDate, shown, step_command
from pipeline.run.dates import days_between, parse_run_at, parse_run_date

days_app = typer.Typer()


@step_command(
    days_app,
    "tradewinds run",
    "tradewinds run --run-date 2021-01-02 --target postgres",
    "tradewinds run --refresh --run-at 2021-01-02T10:30:00Z",
    "tradewinds run --run-date 2021-01-02 --dry-run",
    "tradewinds run --run-date 2021-01-02 --format json",
    accepts=("drift", "shrink", "stale"),
)
def run(
    request: Request,
    run_date: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="The UTC day; the default is today.", parser=parse_run_date),
    ] = None,
    run_at: Annotated[
        datetime | None,
        typer.Option(
            metavar="YYYY-MM-DDTHH:MM:SSZ",
            help="The scheduled time of this run, for the ledger; without --run-date it also sets the day.",
            parser=parse_run_at,
        ),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Read the sources again even if the day has landed.")
    ] = False,
    allow_older: AllowOlder = False,
    dry_run: DryRun = False,
) -> None:
    """Run a whole day: extract, load, check arrivals, build, check marts, publish."""
    from pipeline.cli.summary import print_summary
    from pipeline.run.day import run_day
    from pipeline.run.prepared import prepared

    day = run_date or parse_run_date(run_at.date().isoformat() if run_at else None)
    request = replace(request, run_at=run_at)
    with shown(request), prepared(request) as ready:
        run_day(ready, day, refresh=refresh, allow_older=allow_older, dry_run=dry_run)
    if not dry_run:
        print_summary(request, day)


@step_command(
    days_app,
    "tradewinds backfill --from 2021-01-01 --to 2021-01-03 --dry-run",
    "tradewinds backfill --from 2021-01-01 --to 2021-01-03",
    accepts=("drift", "shrink", "stale"),
)
def backfill(
    request: Request,
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="The first day.", callback=parse_run_date)],
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="The last day.", callback=parse_run_date)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the steps to run, and do nothing.")] = False,
    allow_older: AllowOlder = False,
) -> None:
    """Run every incomplete day of a range, oldest first; rerun it to resume after an interruption.

    While a day is loaded, built, checked and published, the next one is extracted.
    """
    from pipeline.run.day import backfill_days, steps_left

    def announce(day: str, left: list[str]) -> None:
        request.reporter.say(f"{day}  {' '.join(left) or 'complete'}")
        request.reporter.tell(run_date=day, step="backfill", steps_left=left)

    days = days_between(first, last)
    if dry_run:
        for day in days:
            announce(day, steps_left(request, day))
    else:
        with shown(request):
            backfill_days(request, days, allow_older=allow_older, on_day=announce)


@contextmanager
def _without_warehouse(_: Request) -> Iterator[None]:
    from pipeline.run.interrupts import ended_soon

    with ended_soon():
        yield


@step_command(
    days_app,
    "tradewinds extract --run-date 2021-01-02",
    f"tradewinds extract --run-date 2021-01-02 --source {a_source('postgres')} --table orders",
    f"tradewinds extract --run-date 2021-01-02 --source {a_source('api')} --from-raw",
    accepts=("drift", "shrink"),
    during=_without_warehouse,
)
def extract(
    request: Request,
    run_date: RunDate = TODAY,
    table: Annotated[list[str] | None, typer.Option(help="Only this table of the source; repeatable.")] = None,
    from_raw: Annotated[bool, typer.Option("--from-raw", help="Rebuild the day from its kept API answers.")] = False,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Reuse a source's landed day instead of reading it again.")
    ] = False,
) -> None:
    """Read the sources into landing; replaces a landed day."""
    from pipeline.run.extracting import Manner, extract_sources

    if table and len(request.sources) != 1:
        raise BadRequest("--table needs the one --source it belongs to")
    if if_missing and (table or from_raw):
        raise BadRequest("--if-missing reuses landed days; it can't be combined with --table or --from-raw")
    extract_sources(request, run_date, Manner(table, if_missing, from_raw))


@step_command(days_app, "tradewinds load --run-date 2021-01-02")
def load(request: Request, run_date: RunDate = TODAY) -> None:
    """Load a landed day into the warehouse's raw schemas."""
    from pipeline.run import steps

    steps.load(request, run_date)


@step_command(
    days_app,
    "tradewinds build --run-date 2021-01-02",
    f"tradewinds build --run-date 2021-01-02 --source {a_source('csv')} --target postgres",
)
def build(request: Request, run_date: RunDate = TODAY) -> None:
    """Run dbt for a loaded day: staging, marts and their tests."""
    from pipeline.run import steps

    steps.build(request, run_date)


@step_command(
    days_app,
    "tradewinds check --run-date 2021-01-02 --stage arrivals",
    "tradewinds check --run-date 2021-01-02",
    accepts=("shrink", "stale"),
)
def check(
    request: Request,
    run_date: RunDate = TODAY,
    stage: Annotated[
        Literal["arrivals", "marts"], typer.Option("--stage", help="Check the loaded rows or the built marts.")
    ] = "marts",
) -> None:
    """Validate a loaded day, or its built marts, against the suites of tests/expectations."""
    from pipeline.run import steps

    with shown(request):
        steps.check(request, run_date, stage)


@step_command(
    days_app,
    "tradewinds publish --run-date 2021-01-02 --dry-run",
    "tradewinds publish --run-date 2021-01-02",
)
def publish(
    request: Request, run_date: RunDate = TODAY, allow_older: AllowOlder = False, dry_run: DryRun = False
) -> None:
    """Write the exports of a built and checked day, and publish its marts."""
    from pipeline.run import steps

    with nullcontext() if dry_run else shown(request):
        steps.publish(request, run_date, allow_older=allow_older, dry_run=dry_run)
