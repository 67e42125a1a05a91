"""The `tradewinds` command: its verbs, its options, and one clear line for whatever goes wrong."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
import typer.exceptions

from ingestion.errors import BadRequest, TradewindsError
from ingestion.redact import one_line
from ingestion.settings import Home, use_project_settings
from pipeline.cli_rejects import rejects_app

if TYPE_CHECKING:
    from pipeline.request import Request

use_project_settings()

app = typer.Typer(
    help="Land, load, build and publish Northwind's data, a day at a time.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
sources_app = typer.Typer(help="The embedded Postgres and its generated sample data.")
app.add_typer(sources_app, name="sources")
app.add_typer(rejects_app, name="rejects")

RunDate = Annotated[
    str | None,
    typer.Option("--run-date", metavar="YYYY-MM-DD", help="The day, in UTC; today when not said."),
]
Target = Annotated[str, typer.Option("--target", envvar="TRADEWINDS_TARGET", help="The warehouse: duckdb or postgres.")]
SourceNames = Annotated[
    list[str] | None,
    typer.Option("--source", help="Only this source (northwind, order_details, event_log); repeatable."),
]
AcceptDrift = Annotated[
    bool,
    typer.Option("--accept-drift", help="Take dropped or retyped columns of a source as they are."),
]
AcceptShrink = Annotated[
    bool, typer.Option("--accept-shrink", help="Take tables with a history that lost half of their rows as they are.")
]
AllowOlder = Annotated[
    bool,
    typer.Option("--allow-older", help="Publish this day even though a newer one is published."),
]


def _request(target: str = "duckdb", sources: list[str] | None = None):
    from pipeline.request import Request

    request = Request(home=Home.from_environment(), target=target, named_sources=sources or [])
    request.check()
    return request


@contextmanager
def _serving(target: str, sources: list[str] | None) -> Iterator["Request"]:
    """Hand out the request, with its warehouse reachable while the command works."""
    request = _request(target, sources)
    with request.warehouse.serving():
        yield request


def _day(run_date: str | None) -> str:
    from pipeline.dates import parse_run_date

    return parse_run_date(run_date)


@app.command()
def run(
    run_date: RunDate = None,
    target: Target = "duckdb",
    source: SourceNames = None,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Ask the sources again, though the day has landed whole."),
    ] = False,
    accept_drift: AcceptDrift = False,
    accept_shrink: AcceptShrink = False,
    allow_older: AllowOlder = False,
) -> None:
    """Do a whole day: extract, load, build, publish."""
    from pipeline.day import run_day
    from pipeline.summary import print_summary

    day, accepted = _day(run_date), {"accept_drift": accept_drift, "accept_shrink": accept_shrink}
    with _serving(target, source) as request:
        run_day(request, day, refresh=refresh, allow_older=allow_older, **accepted)
        print_summary(request, day)


@app.command()
def extract(
    run_date: RunDate = None,
    source: SourceNames = None,
    table: Annotated[
        list[str] | None, typer.Option("--table", help="Only this table of the source; repeatable.")
    ] = None,
    accept_drift: AcceptDrift = False,
    accept_shrink: AcceptShrink = False,
    target: Target = "duckdb",
) -> None:
    """Read the sources into landing; a day that has landed is replaced."""
    day, request = _day(run_date), _request(target, source)
    from pipeline import steps

    if table and len(request.sources) != 1:
        raise BadRequest("--table needs the one --source it belongs to")
    steps.extract(request, day, tables=table, accept_drift=accept_drift, accept_shrink=accept_shrink)


@app.command()
def load(run_date: RunDate = None, target: Target = "duckdb", source: SourceNames = None) -> None:
    """Take a landed day into the warehouse's raw schemas."""
    from pipeline import steps

    day = _day(run_date)
    with _serving(target, source) as request:
        steps.load(request, day)


@app.command()
def build(run_date: RunDate = None, target: Target = "duckdb", source: SourceNames = None) -> None:
    """Run dbt for a loaded day: staging, marts and their tests."""
    from pipeline import steps

    day = _day(run_date)
    with _serving(target, source) as request:
        steps.build(request, day)


@app.command()
def publish(
    run_date: RunDate = None,
    target: Target = "duckdb",
    source: SourceNames = None,
    allow_older: AllowOlder = False,
) -> None:
    """Write the exports of a built day and put its marts where readers look."""
    from pipeline import steps

    day = _day(run_date)
    with _serving(target, source) as request:
        steps.publish(request, day, allow_older=allow_older)


@app.command()
def backfill(
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="The first day.")],
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="The last day.")],
    target: Target = "duckdb",
    source: SourceNames = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    accept_drift: AcceptDrift = False,
    accept_shrink: AcceptShrink = False,
    allow_older: AllowOlder = False,
) -> None:
    """Run every day of a range that isn't complete, oldest first; goes on where it was cut off."""
    from pipeline.dates import days_between, parse_run_date
    from pipeline.day import backfill_days, steps_left

    days = days_between(parse_run_date(first), parse_run_date(last))
    accepted = {"accept_drift": accept_drift, "accept_shrink": accept_shrink}
    with _serving(target, source) as request:

        def announce(day: str, left: list[str]) -> None:
            request.reporter.say(f"{day}  {' '.join(left) or 'complete'}")

        if dry_run:
            for day in days:
                announce(day, steps_left(request, day))
        else:
            backfill_days(request, days, on_day=announce, allow_older=allow_older, **accepted)


@app.command()
def status(run_date: RunDate = None) -> None:
    """Show what was done on a day, or on every day; exits 0 when the day asked for is complete."""
    from pipeline.status import day_table, days_table, is_complete

    day, request = run_date and _day(run_date), _request()
    console = request.reporter.console
    if day is None:
        console.print(days_table(request.ledger))
        return
    console.print(day_table(request.ledger, day))
    if not is_complete(request.ledger, day):
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
        with _serving(target, source) as request:
            verify_landing(request)
            verify_history(request)
    else:
        verify_landing(_request(target, source))


@sources_app.command()
def up() -> None:
    """Start the embedded Postgres and keep it running."""
    from ingestion.embedded.postgres import EmbeddedPostgres

    request = _request()
    EmbeddedPostgres(request.home.root).up()
    request.reporter.say("the embedded Postgres is running; stop it with: tradewinds sources down")


@sources_app.command()
def down() -> None:
    """Stop the embedded Postgres."""
    from ingestion.embedded.postgres import EmbeddedPostgres

    request = _request()
    stopped = EmbeddedPostgres(request.home.root).down()
    request.reporter.say("the embedded Postgres is stopped" if stopped else "the embedded Postgres was not running")


@sources_app.command()
def sample(
    scale: Annotated[int, typer.Option("--scale", min=1, help="1 is Northwind's size: 830 orders, 2,155 lines.")] = 1,
) -> None:
    """Generate the sample data anew, at any scale."""
    from ingestion.samples.defaults import make_samples

    request = _request()
    for table, rows in make_samples(request.home, scale).items():
        request.reporter.line("sample", table, rows, None)


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
