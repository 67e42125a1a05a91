"""Commands for whole days: run one, run many."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import (
    AcceptDrift,
    AcceptShrink,
    AcceptStale,
    AllowOlder,
    DryRun,
    command,
    shown,
)
from pipeline.run.dates import days_between, parse_run_at, parse_run_date

if TYPE_CHECKING:
    from pipeline.run.request import Request

days_app = typer.Typer()


@command(
    days_app,
    "tradewinds run",
    "tradewinds run --run-date 2021-01-02 --target postgres",
    "tradewinds run --refresh --run-at 2021-01-02T10:30:00Z",
    "tradewinds run --run-date 2021-01-02 --dry-run",
    "tradewinds run --run-date 2021-01-02 --format json",
)
def run(
    request: "Request",
    run_date: Annotated[
        str | None, typer.Option("--run-date", metavar="YYYY-MM-DD", help="The UTC day; the default is today.")
    ] = None,
    run_at: Annotated[
        str | None,
        typer.Option(
            "--run-at",
            metavar="YYYY-MM-DDTHH:MM:SSZ",
            help="The scheduled time of this run, for the ledger; without --run-date it also sets the day.",
        ),
    ] = None,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Read the sources again even if the day has landed."),
    ] = False,
    accept_drift: AcceptDrift = False,
    accept_shrink: AcceptShrink = False,
    accept_stale: AcceptStale = False,
    allow_older: AllowOlder = False,
    dry_run: DryRun = False,
) -> None:
    """Run a whole day: extract, load, check arrivals, build, check marts, publish."""
    from pipeline.cli.summary import print_summary
    from pipeline.run.day import Options, run_day
    from pipeline.run.prepared import prepared

    due = parse_run_at(run_at)
    day = parse_run_date(due.date().isoformat() if due and run_date is None else run_date)
    options = Options(refresh, accept_drift, accept_shrink, accept_stale, allow_older, dry_run)
    request = replace(request, run_at=due)
    with shown(request), prepared(request) as ready:
        run_day(ready, day, options)
    if not dry_run:
        print_summary(request, day)


@command(
    days_app,
    "tradewinds backfill --from 2021-01-01 --to 2021-01-03 --dry-run",
    "tradewinds backfill --from 2021-01-01 --to 2021-01-03",
)
def backfill(
    request: "Request",
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="The first day.", callback=parse_run_date)],
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="The last day.", callback=parse_run_date)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the steps to run, and do nothing.")] = False,
    accept_drift: AcceptDrift = False,
    accept_shrink: AcceptShrink = False,
    accept_stale: AcceptStale = False,
    allow_older: AllowOlder = False,
) -> None:
    """Run every incomplete day of a range, oldest first; rerun it to resume after an interruption."""
    from pipeline.run.day import Options, backfill_days, steps_left

    def announce(day: str, left: list[str]) -> None:
        request.reporter.say(f"{day}  {' '.join(left) or 'complete'}")
        request.reporter.tell(run_date=day, step="backfill", steps_left=left)

    days = days_between(first, last)
    if dry_run:
        for day in days:
            announce(day, steps_left(request, day))
    else:
        options = Options(False, accept_drift, accept_shrink, accept_stale, allow_older)
        with shown(request):
            backfill_days(request, days, options, on_day=announce)
