"""The `tradewinds` command: its verbs, its options, and one clear line for whatever goes wrong."""

import signal
import sys
from typing import Annotated, Literal

import typer
import typer.exceptions

from ingestion.errors import BadRequest, TradewindsError
from ingestion.redact import one_line
from ingestion.settings import use_project_settings
from pipeline.cli_people import people_app
from pipeline.cli_rejects import rejects_app
from pipeline.cli_site import boards, docs, serve
from pipeline.cli_sources import sources_app
from pipeline.options import (
    AcceptDrift,
    AcceptShrink,
    AcceptStale,
    AllowOlder,
    DryRun,
    RunAt,
    RunDate,
    SourceNames,
    Target,
    day_of,
    request_for,
    serving,
    time_of,
)

use_project_settings()

app = typer.Typer(
    help="Land, load, check, build and publish Northwind's data, a day at a time.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(sources_app, name="sources")
app.add_typer(rejects_app, name="rejects")
app.add_typer(people_app, name="people")


@app.command()
def run(
    run_date: RunDate = None,
    run_at: RunAt = None,
    target: Target = "duckdb",
    source: SourceNames = None,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Ask the sources again, though the day has landed whole."),
    ] = False,
    accept_drift: AcceptDrift = False,
    accept_shrink: AcceptShrink = False,
    accept_stale: AcceptStale = False,
    allow_older: AllowOlder = False,
    dry_run: DryRun = False,
) -> None:
    """Do a whole day: extract, load, check what arrived, build, check the marts, publish."""
    from pipeline.day import Options, run_day
    from pipeline.summary import print_summary

    due = time_of(run_at)
    day = day_of(due.date().isoformat() if due and run_date is None else run_date)
    options = Options(refresh, accept_drift, accept_shrink, accept_stale, allow_older, dry_run)
    with serving(target, source, due) as request:
        run_day(request, day, options)
        if not dry_run:
            print_summary(request, day)


@app.command()
def extract(
    run_date: RunDate = None,
    source: SourceNames = None,
    table: Annotated[
        list[str] | None, typer.Option("--table", help="Only this table of the source; repeatable.")
    ] = None,
    from_raw: Annotated[
        bool, typer.Option("--from-raw", help="Make the day again from the answers of the API that it kept.")
    ] = False,
    accept_drift: AcceptDrift = False,
    accept_shrink: AcceptShrink = False,
    target: Target = "duckdb",
) -> None:
    """Read the sources into landing; a day that has landed is replaced."""
    day, request = day_of(run_date), request_for(target, source)
    from pipeline import steps

    if table and len(request.sources) != 1:
        raise BadRequest("--table needs the one --source it belongs to")
    guards = {"accept_drift": accept_drift, "accept_shrink": accept_shrink}
    steps.extract(request, day, tables=table, from_raw=from_raw, **guards)


@app.command()
def load(run_date: RunDate = None, target: Target = "duckdb", source: SourceNames = None) -> None:
    """Take a landed day into the warehouse's raw schemas."""
    from pipeline import steps

    day = day_of(run_date)
    with serving(target, source) as request:
        steps.load(request, day)


@app.command()
def build(run_date: RunDate = None, target: Target = "duckdb", source: SourceNames = None) -> None:
    """Run dbt for a loaded day: staging, marts and their tests."""
    from pipeline import steps

    day = day_of(run_date)
    with serving(target, source) as request:
        steps.build(request, day)


@app.command()
def check(
    run_date: RunDate = None,
    stage: Annotated[
        Literal["arrivals", "marts"], typer.Option("--stage", help="What arrived in raw, or the built marts.")
    ] = "marts",
    target: Target = "duckdb",
    source: SourceNames = None,
    accept_shrink: AcceptShrink = False,
    accept_stale: AcceptStale = False,
) -> None:
    """Hold a loaded day, or its built marts, against the suites of tests/expectations."""
    from pipeline import steps

    day = day_of(run_date)
    with serving(target, source) as request:
        steps.check(request, day, stage, accept_shrink=accept_shrink, accept_stale=accept_stale)


@app.command()
def publish(
    run_date: RunDate = None,
    target: Target = "duckdb",
    source: SourceNames = None,
    allow_older: AllowOlder = False,
    dry_run: DryRun = False,
) -> None:
    """Write the exports of a built and checked day and put its marts where readers look."""
    from pipeline import steps

    day = day_of(run_date)
    with serving(target, source) as request:
        steps.publish(request, day, allow_older=allow_older, dry_run=dry_run)


@app.command()
def rollback(
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="This kept version, not just the one before.")
    ] = None,
    target: Target = "duckdb",
) -> None:
    """Put the version that was published before the present one before readers again."""
    from pipeline import steps

    with serving(target, None) as request:
        steps.rollback(request, to)


@app.command()
def backfill(
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="The first day.")],
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="The last day.")],
    target: Target = "duckdb",
    source: SourceNames = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    accept_drift: AcceptDrift = False,
    accept_shrink: AcceptShrink = False,
    accept_stale: AcceptStale = False,
    allow_older: AllowOlder = False,
) -> None:
    """Run every day of a range that isn't complete, oldest first; goes on where it was cut off."""
    from pipeline.dates import days_between, parse_run_date
    from pipeline.day import Options, backfill_days, steps_left

    days = days_between(parse_run_date(first), parse_run_date(last))
    options = Options(False, accept_drift, accept_shrink, accept_stale, allow_older)
    with serving(target, source) as request:

        def announce(day: str, left: list[str]) -> None:
            request.reporter.say(f"{day}  {' '.join(left) or 'complete'}")

        if dry_run:
            for day in days:
                announce(day, steps_left(request, day))
        else:
            backfill_days(request, days, options, on_day=announce)


@app.command()
def status(
    run_date: RunDate = None,
    target: Annotated[
        str | None, typer.Option("--target", help="Only what was done on this warehouse; the last one when not said.")
    ] = None,
) -> None:
    """Show a day's steps, or the last 14 days as a grid; exits 0 when the day asked for is complete."""
    from pipeline.status import day_table, days_grid, is_complete

    day, request = run_date and day_of(run_date), request_for(target or "duckdb")
    console = request.reporter.console
    if day is None:
        console.print(days_grid(request.ledger, target))
        return
    console.print(day_table(request.ledger, day, target))
    if not is_complete(request.ledger, day, target):
        raise typer.Exit(1)


@app.command()
def verify(
    source: SourceNames = None,
    history: Annotated[bool, typer.Option("--history", help="Hold history as of every day against raw, too.")] = False,
    target: Target = "duckdb",
) -> None:
    """Hold every landed file against its manifest's SHA-256, and history against raw."""
    from pipeline.verify import verify_history, verify_landing

    if history:
        with serving(target, source) as request:
            verify_landing(request)
            verify_history(request)
    else:
        verify_landing(request_for(target, source))


for _command in (boards, docs, serve):
    app.command()(_command)


def main() -> None:
    """Run the command; whatever fails ends as one line on standard error and the exit code that says what it was."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    words = sys.argv[1:] or ["--help"]
    try:
        sys.exit(app(words, standalone_mode=False) or 0)
    except TradewindsError as error:
        _fail(
            f"{error.reason}; run: {error.command}" if error.command else error.reason,
            error.exit_code,
        )
    except typer.exceptions.TyperException as error:
        _fail(f"{error.format_message().rstrip('.')}; run: tradewinds --help", 2)
    except (typer.Abort, KeyboardInterrupt):
        _fail("interrupted", 130)
    except Exception as error:
        _fail(f"{type(error).__name__}: {one_line(error)}", 1)


def _fail(line: str, exit_code: int) -> None:
    print(f"tradewinds: {one_line(Exception(line))}", file=sys.stderr)
    sys.exit(exit_code)
