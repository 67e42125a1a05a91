"""The options that several commands share, and the requests made from them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ingestion.settings import Home
from pipeline.cli.completion import TARGET_NAMES, complete_source, complete_target

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipeline.run.reporter import Reporter
    from pipeline.run.request import Request


def examples(*lines: str) -> str:
    """Return the end of a command's help: examples, one a line."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


RunDate = Annotated[
    str | None,
    typer.Option("--run-date", metavar="YYYY-MM-DD", help="The UTC day; the default is today."),
]
RunAt = Annotated[
    str | None,
    typer.Option(
        "--run-at",
        metavar="YYYY-MM-DDTHH:MM:SSZ",
        help="The scheduled time of this run, for the ledger; without --run-date it also sets the day.",
    ),
]
Target = Annotated[
    str,
    typer.Option(
        "--target",
        envvar="TRADEWINDS_TARGET",
        help=f"The warehouse: {' or '.join(TARGET_NAMES)}.",
        autocompletion=complete_target,
    ),
]
SourceNames = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        help=f"Only this source ({', '.join(complete_source(''))}); repeatable.",
        autocompletion=complete_source,
    ),
]
AcceptDrift = Annotated[
    bool,
    typer.Option("--accept-drift", help="Accept dropped or retyped columns of a source."),
]
AcceptShrink = Annotated[
    bool, typer.Option("--accept-shrink", help="Accept tables that lost half of their rows or more.")
]
AcceptStale = Annotated[
    bool,
    typer.Option("--accept-stale", help="Accept data whose newest timestamp is older than the day before's."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what publishing would change, and don't publish.")]
AllowOlder = Annotated[
    bool,
    typer.Option("--allow-older", help="Publish this day even if a newer one is published."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing except one line on failure.")]
Output = Annotated[
    Literal["text", "json"],
    typer.Option("--format", help="json prints the ledger's entry of each finished step, one object a line."),
]
RowFormat = Annotated[
    Literal["table", "csv", "json"],
    typer.Option("--format", help="csv and json are for scripts, and print all rows by default."),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="The maximum number of rows; 20 by default in a table.")
]


def reporter_for(quiet: bool, output: str) -> "Reporter":
    """Return a reporter for the requested output format."""
    from pipeline.run.reporter import Reporter

    return Reporter(form="quiet" if quiet else output)


def request_for(
    target: str = "duckdb",
    sources: list[str] | None = None,
    run_at: datetime | None = None,
    reporter: "Reporter | None" = None,
) -> "Request":
    """Return the request of a command; raises BadRequest on an unknown name."""
    from pipeline.run.request import Request

    printing = {"reporter": reporter} if reporter else {}
    request = Request(Home.from_environment(), target, sources or [], run_at=run_at, **printing)
    request.check()
    return request


@contextmanager
def serving(
    target: str, sources: list[str] | None, run_at: datetime | None = None, reporter: "Reporter | None" = None
) -> Iterator["Request"]:
    """Yield the request, with its warehouse reachable during the block."""
    request = request_for(target, sources, run_at, reporter)
    with request.warehouse.serving():
        yield request


@contextmanager
def working(
    target: str, sources: list[str] | None, run_at: datetime | None = None, reporter: "Reporter | None" = None
) -> Iterator["Request"]:
    """Do the same as `serving` for steps, and let an interrupt end the command soon."""
    from pipeline.run.interrupts import ended_soon

    with ended_soon(), serving(target, sources, run_at, reporter) as request:
        yield request


@contextmanager
def people_database() -> Iterator["Engine"]:
    """Open the people database of the home; its imports are deferred until here."""
    from pipeline.people import people_engine

    with people_engine(Home.from_environment()) as engine:
        yield engine


def day_of(run_date: str | None) -> str:
    """Return the requested day, by default today (UTC); raises BadRequest when it isn't a day."""
    from pipeline.run.dates import parse_run_date

    return parse_run_date(run_date)


def time_of(run_at: str | None) -> datetime | None:
    """Return the given time in UTC; raises BadRequest when it isn't a time."""
    from pipeline.run.dates import parse_run_at

    return parse_run_at(run_at)
