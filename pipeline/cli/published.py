"""Commands for the published marts: marts, query, answer, mcp, rollback."""

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import Limit, RowFormat, command, serving, shown

if TYPE_CHECKING:
    from pipeline.run.request import Request

published_app = typer.Typer()


@command(published_app, "tradewinds marts", "tradewinds marts ops.dim_run_dates", takes=("target",), during=serving)
def marts(
    request: "Request",
    name: Annotated[str | None, typer.Argument(metavar="MART", help="Show this mart's columns.")] = None,
    form: RowFormat = "table",
) -> None:
    """List the published marts and what a row of each is, or the columns of one."""
    from pipeline.cli.asking import show_columns, show_marts

    show_columns(request, name, form) if name else show_marts(request, form)


@command(
    published_app,
    'tradewinds query "select source_name, sum(landed_count) from ops.fct_reconciliation group by 1"',
    'tradewinds query "select * from ops.dim_run_dates order by run_date" --format csv --limit 100',
    "tradewinds query - --target postgres --format json < question.sql",
    takes=("target",),
    during=serving,
)
def query(
    request: "Request",
    statement: Annotated[str, typer.Argument(metavar="SQL", help="One query; - reads it from standard input.")],
    limit: Limit = None,
    form: RowFormat = "table",
) -> None:
    """Run one SQL query on the published marts, with a reader's rights."""
    from pipeline.cli.asking import ask

    ask(request, sys.stdin.read() if statement == "-" else statement, form, limit)


@command(
    published_app,
    "tradewinds answer",
    "tradewinds answer --limit 5 --format json",
    takes=("target",),
    during=serving,
)
def answer(request: "Request", limit: Limit = None, form: RowFormat = "table") -> None:
    """Show the first rows of the published answer, marked in models/exports; csv and json have all of its columns."""
    from pipeline.cli.asking import ask_answer

    ask_answer(request, form, limit)


@command(
    published_app,
    "tradewinds mcp",
    "tradewinds mcp --target postgres --max-rows 50 --max-seconds 10",
    takes=("target",),
    during=lambda _: nullcontext(),
)
def mcp(
    request: "Request",
    max_rows: Annotated[int, typer.Option("--max-rows", min=1, help="The most rows of an answer.")] = 200,
    max_seconds: Annotated[float, typer.Option("--max-seconds", min=0.1, help="The time limit of a query.")] = 30,
) -> None:
    """Serve the published marts to agents, read-only: the Model Context Protocol on standard input and output."""
    from pipeline.cli.agents.server import end_now, serve_marts

    with serving(request):
        serve_marts(request, max_rows, max_seconds, lambda text: print(f"tradewinds: {text}", file=sys.stderr))
    end_now()


@command(
    published_app,
    "tradewinds rollback",
    "tradewinds rollback --to 2021-01-01-0123456789ab",
    takes=("target", "quiet", "output"),
    during=serving,
)
def rollback(
    request: "Request",
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="A kept version; the default is the previous one.")
    ] = None,
) -> None:
    """Publish the previous version again."""
    from pipeline.run import steps

    with shown(request):
        steps.rollback(request, to)
