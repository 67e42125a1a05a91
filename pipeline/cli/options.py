"""The options that several commands share, and the requests made from them."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from ingestion.errors import BadRequest
from ingestion.settings import Home
from pipeline.cli.completion import TARGET_NAMES, complete_source, complete_target
from pipeline.run.dates import parse_run_date

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipeline.run.request import Request
else:
    Request = Any  # imported when a command runs: its libraries take half a second

# What parse_run_date makes today's date.
TODAY = cast(str, None)
RunDate = Annotated[
    str, typer.Option(metavar="YYYY-MM-DD", help="The UTC day; the default is today.", callback=parse_run_date)
]
Target = Annotated[
    str,
    typer.Option(
        envvar="TRADEWINDS_TARGET",
        help=f"The warehouse: {' or '.join(TARGET_NAMES)}.",
        autocompletion=complete_target,
    ),
]
SourceNames = Annotated[
    list[str] | None,
    typer.Option(
        help=f"Only this source ({', '.join(complete_source(''))}); repeatable.",
        autocompletion=complete_source,
    ),
]
# The guards of `--accept-…`, and what accepting each means.
_GUARDS = {
    "drift": "Accept dropped or retyped columns of a source.",
    "shrink": "Accept tables that lost half of their rows or more.",
    "stale": "Accept data whose newest timestamp is older than the day before's.",
}
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what publishing would change, and don't publish.")]
AllowOlder = Annotated[bool, typer.Option("--allow-older", help="Publish this day even if a newer one is published.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing except a failure.")]
Output = Annotated[
    Literal["text", "json"],
    typer.Option("--format", help="json prints the ledger's entry of each finished step, one object a line."),
]
RowFormat = Annotated[
    Literal["table", "csv", "json"],
    typer.Option("--format", help="csv and json are for scripts, and print all rows by default."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="The maximum number of rows; 20 by default in a table.")]


# The options that make a request, with their defaults.
_MAKING: dict[str, tuple[Any, Any]] = {
    **{
        f"accept_{guard}": (Annotated[bool, typer.Option(f"--accept-{guard}", help=about)], False)
        for guard, about in _GUARDS.items()
    },
    "target": (Target, "duckdb"),
    "source": (SourceNames, None),
    "quiet": (Quiet, False),
    "output": (Output, "text"),
}


def _request_for(
    target: str = "duckdb",
    source: list[str] | None = None,
    quiet: bool = False,
    output: Literal["text", "json"] = "text",
    **accepted: bool,
) -> Request:
    """Return the request of a command, with the `accept_…` options given; raises BadRequest on an unknown name."""
    from pipeline.run.reporter import Reporter
    from pipeline.run.request import Request

    reporter = Reporter(form="quiet" if quiet else output)
    guards = frozenset(guard for guard in _GUARDS if accepted.get(f"accept_{guard}"))
    request = Request(Home.from_environment(), target, source or [], reporter, accepted=guards)
    request.check()
    return request


def _serving(request: Request) -> AbstractContextManager[None]:
    """Keep the request's warehouse reachable during the block."""
    return request.warehouse.serving()


@contextmanager
def _working(request: Request) -> Iterator[None]:
    """Do the same as `_serving` for steps, and let an interrupt end the command soon."""
    from pipeline.run.interrupts import ended_soon

    with ended_soon(), request.warehouse.serving():
        yield


def command(
    app: typer.Typer,
    *lines: str,
    name: str | None = None,
    takes: tuple[str, ...] = (),
    accepts: tuple[str, ...] = (),
    during: Callable[[Request], AbstractContextManager[object]] = nullcontext,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command; if its first parameter is a `request`, the command takes the options that make one.

    `lines` are the examples of its help, `accepts` the guards that it has an option for, and `during` is open while it
    works.
    """
    options = {*takes, *(f"accept_{guard}" for guard in accepts)}

    def register(work: Callable[..., None]) -> Callable[..., None]:
        @wraps(work)
        def run(**given: Any) -> None:
            # A shell's unset variable isn't an option that was left out.
            if empty := [name.replace("_", " ") for name, value in given.items() if value == ""]:
                raise BadRequest(f"{', '.join(empty)}: the value is empty")
            if "request" not in parameters:
                work(**given)
                return
            request = _request_for(**{option: given.pop(option) for option in options})
            with during(request):
                work(request, **given)

        parameters = inspect.signature(work).parameters
        own = [parameter for name, parameter in parameters.items() if name != "request"]
        making = [
            inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=type_)
            for option, (type_, default) in _MAKING.items()
            if option in options
        ]
        # typer reads both.
        vars(run)["__signature__"] = inspect.Signature([*own, *making])
        run.__annotations__ = {option.name: option.annotation for option in (*own, *making)}
        return app.command(name, epilog="\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)]))(run)

    return register


# Commands of steps, which work on the warehouse, and commands that read it or what is published of it.
step_command = partial(command, takes=("target", "source", "quiet", "output"), during=_working)
reading_command = partial(command, takes=("target",), during=_serving)


@contextmanager
def shown(request: Request) -> Iterator[None]:
    """Write the site's index and run history anew after a block that changes what they tell, however it ends."""
    try:
        yield
    finally:
        from pipeline.site import refresh_site

        refresh_site(request)


@contextmanager
def people_database() -> Iterator["Engine"]:
    """Open the people database of the home; its imports are deferred until here."""
    from pipeline.people import people_engine

    with people_engine(Home.from_environment()) as engine:
        yield engine
