"""The options that several commands share, and what they make of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ingestion.settings import Home
from pipeline.completion import SOURCE_NAMES, TARGET_NAMES, complete_source, complete_target

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipeline.reporter import Reporter
    from pipeline.request import Request


def examples(*lines: str) -> str:
    """Return the end of a command's help: what to type, one line each."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


RunDate = Annotated[
    str | None,
    typer.Option("--run-date", metavar="YYYY-MM-DD", help="The day, in UTC; today when not said."),
]
RunAt = Annotated[
    str | None,
    typer.Option(
        "--run-at",
        metavar="YYYY-MM-DDTHH:MM:SSZ",
        help="When this run of the day was due, for the ledger; without --run-date it says the day, too.",
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
        help=f"Only this source ({', '.join(SOURCE_NAMES)}); repeatable.",
        autocompletion=complete_source,
    ),
]
AcceptDrift = Annotated[
    bool,
    typer.Option("--accept-drift", help="Take dropped or retyped columns of a source as they are."),
]
AcceptShrink = Annotated[
    bool, typer.Option("--accept-shrink", help="Take tables that lost half of their rows, or all, as they are.")
]
AcceptStale = Annotated[
    bool,
    typer.Option("--accept-stale", help="Take what arrived though it ends before the day before's did."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Stop before publishing, with what it would change.")]
AllowOlder = Annotated[
    bool,
    typer.Option("--allow-older", help="Publish this day even though a newer one is published."),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print nothing but a failure's one line; the exit code says the rest.")
]
Output = Annotated[
    Literal["text", "json"],
    typer.Option("--format", help="json: an object a line for each step that ended, as the ledger keeps it."),
]
RowFormat = Annotated[
    Literal["table", "csv", "json"],
    typer.Option("--format", help="csv and json are for scripts, and whole when no --limit is given."),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many rows; 20 in a table when not said.")]


def reporter_for(quiet: bool, output: str) -> "Reporter":
    """Return what prints a command's progress in the form that was asked for."""
    from pipeline.reporter import Reporter

    return Reporter(form="quiet" if quiet else output)


def request_for(
    target: str = "duckdb",
    sources: list[str] | None = None,
    run_at: datetime | None = None,
    reporter: "Reporter | None" = None,
) -> "Request":
    """Return the request of a command; raises BadRequest when a name that was given doesn't exist."""
    from pipeline.request import Request

    printing = {"reporter": reporter} if reporter else {}
    request = Request(Home.from_environment(), target, sources or [], run_at=run_at, **printing)
    request.check()
    return request


@contextmanager
def serving(
    target: str, sources: list[str] | None, run_at: datetime | None = None, reporter: "Reporter | None" = None
) -> Iterator["Request"]:
    """Hand out the request, with its warehouse reachable while the command works."""
    request = request_for(target, sources, run_at, reporter)
    with request.warehouse.serving():
        yield request


@contextmanager
def working(
    target: str, sources: list[str] | None, run_at: datetime | None = None, reporter: "Reporter | None" = None
) -> Iterator["Request"]:
    """Do what `serving` does for a step, or steps: a command that an interrupt ends soon."""
    from pipeline.interrupts import ended_soon

    with ended_soon(), serving(target, sources, run_at, reporter) as request:
        yield request


@contextmanager
def people_database() -> Iterator["Engine"]:
    """Open the people database of the home; what that takes is imported by the commands that do."""
    from pipeline.people import people_engine

    with people_engine(Home.from_environment()) as engine:
        yield engine


def day_of(run_date: str | None) -> str:
    """Return the day that was asked for, today (UTC) when none was; raises BadRequest when it is none."""
    from pipeline.dates import parse_run_date

    return parse_run_date(run_date)


def time_of(run_at: str | None) -> datetime | None:
    """Return the time that was given, in UTC; raises BadRequest when it is none."""
    from pipeline.dates import parse_run_at

    return parse_run_at(run_at)
