"""Commands for whole days: run one, run many."""

from typing import Annotated

import typer

from pipeline.cli.options import (
    AcceptDrift,
    AcceptShrink,
    AcceptStale,
    AllowOlder,
    DryRun,
    Output,
    Quiet,
    RunAt,
    RunDate,
    SourceNames,
    Target,
    day_of,
    examples,
    reporter_for,
    shown,
    time_of,
    working,
)

days_app = typer.Typer()


@days_app.command(
    epilog=examples(
        "tradewinds run",
        "tradewinds run --run-date 2021-01-02 --target postgres",
        "tradewinds run --refresh --run-at 2021-01-02T10:30:00Z",
        "tradewinds run --run-date 2021-01-02 --dry-run",
        "tradewinds run --run-date 2021-01-02 --format json",
    )
)
def run(
    run_date: RunDate = None,
    run_at: RunAt = None,
    target: Target = "duckdb",
    source: SourceNames = None,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Read the sources again even if the day has landed."),
    ] = False,
    accept_drift: AcceptDrift = False,
    accept_shrink: AcceptShrink = False,
    accept_stale: AcceptStale = False,
    allow_older: AllowOlder = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    output: Output = "text",
) -> None:
    """Run a whole day: extract, load, check arrivals, build, check marts, publish."""
    from pipeline.cli.summary import print_summary
    from pipeline.run.day import Options, run_day
    from pipeline.run.prepared import prepared

    due = time_of(run_at)
    day = day_of(due.date().isoformat() if due and run_date is None else run_date)
    options = Options(refresh, accept_drift, accept_shrink, accept_stale, allow_older, dry_run)
    with working(target, source, due, reporter_for(quiet, output)) as request:
        with shown(request), prepared(request) as ready:
            run_day(ready, day, options)
        if not dry_run:
            print_summary(request, day)


@days_app.command(
    epilog=examples(
        "tradewinds backfill --from 2021-01-01 --to 2021-01-03 --dry-run",
        "tradewinds backfill --from 2021-01-01 --to 2021-01-03",
    )
)
def backfill(
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="The first day.")],
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="The last day.")],
    target: Target = "duckdb",
    source: SourceNames = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the steps to run, and do nothing.")] = False,
    accept_drift: AcceptDrift = False,
    accept_shrink: AcceptShrink = False,
    accept_stale: AcceptStale = False,
    allow_older: AllowOlder = False,
    quiet: Quiet = False,
    output: Output = "text",
) -> None:
    """Run every incomplete day of a range, oldest first; rerun it to resume after an interruption."""
    from pipeline.run.dates import days_between, parse_run_date
    from pipeline.run.day import Options, backfill_days, steps_left

    days = days_between(parse_run_date(first), parse_run_date(last))
    options = Options(False, accept_drift, accept_shrink, accept_stale, allow_older)
    with working(target, source, reporter=reporter_for(quiet, output)) as request:

        def announce(day: str, left: list[str]) -> None:
            request.reporter.say(f"{day}  {' '.join(left) or 'complete'}")
            request.reporter.tell(run_date=day, step="backfill", steps_left=left)

        if dry_run:
            for day in days:
                announce(day, steps_left(request, day))
        else:
            with shown(request):
                backfill_days(request, days, options, on_day=announce)
