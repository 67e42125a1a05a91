"""Commands for the published marts: marts, query, answer, contracts, mcp, rollback."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Limit, Request, RowFormat, reading_command, shown

published_app = typer.Typer()


@reading_command(published_app, "tradewinds marts", "tradewinds marts ops.dim_run_dates")
def marts(
    request: Request,
    name: Annotated[str | None, typer.Argument(metavar="MART", help="Show this mart's columns.")] = None,
    form: RowFormat = "table",
) -> None:
    """List the published marts and what a row of each is, or the columns of one."""
    from pipeline.cli.asking import show_columns, show_marts

    show_columns(request, name, form) if name else show_marts(request, form)


@reading_command(
    published_app,
    'tradewinds query "select source_name, sum(landed_count) from ops.fct_reconciliation group by 1"',
    'tradewinds query "select * from ops.dim_run_dates order by run_date" --format csv --limit 100',
    "tradewinds query - --target postgres --format json < question.sql",
)
def query(
    request: Request,
    statement: Annotated[str, typer.Argument(metavar="SQL", help="One query; - reads it from standard input.")],
    limit: Limit = None,
    form: RowFormat = "table",
) -> None:
    """Run one SQL query on the published marts, with a reader's rights."""
    from pipeline.cli.asking import ask

    ask(request, sys.stdin.read() if statement == "-" else statement, form, limit)


@reading_command(published_app, "tradewinds answer", "tradewinds answer --limit 5 --format json")
def answer(request: Request, limit: Limit = None, form: RowFormat = "table") -> None:
    """Show the first rows of the published answer, marked in models/exports; csv and json have all of its columns."""
    from pipeline.cli.asking import ask_answer

    ask_answer(request, form, limit)


@reading_command(
    published_app, "tradewinds contracts", "tradewinds contracts ../catalogue/tradewinds --target postgres"
)
def contracts(
    request: Request,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="The folder to write to; the default is contracts/ in the home."),
    ] = None,
) -> None:
    """Write the data contract of every mart and snapshot (ODCS), made of its dbt contract, tests and owner."""
    import yaml

    from ingestion.files import write_atomically
    from pipeline.dbt.contracts import make_contracts
    from pipeline.publishing import open_publisher

    namespace, database = open_publisher(request.target, request.home).namespace
    kind, _, place = namespace.partition("://")
    host, _, port = place.rpartition(":")
    there = {"host": host, "port": int(port), "database": database} if kind == "postgres" else {"database": place}
    written = (folder or request.home.root / "contracts").expanduser()
    found = make_contracts({"type": kind} | there)
    for mart, contract in found.items():
        text = yaml.safe_dump(contract, sort_keys=False, allow_unicode=True, width=120)
        write_atomically(written / f"{mart}.odcs.yaml", text, is_shared=True)
    request.reporter.say(f"{len(found)} contracts are in {written}")


@reading_command(
    published_app,
    "tradewinds mcp",
    "tradewinds mcp --target postgres --max-rows 50 --max-seconds 10",
    during=nullcontext,
)
def mcp(
    request: Request,
    max_rows: Annotated[int, typer.Option("--max-rows", min=1, help="The most rows of an answer.")] = 200,
    max_seconds: Annotated[float, typer.Option("--max-seconds", min=0.1, help="The time limit of a query.")] = 30,
) -> None:
    """Serve the published marts to agents, read-only: the Model Context Protocol on standard input and output."""
    from pipeline.cli.agents.server import end_now, serve_marts

    with request.warehouse.serving():
        serve_marts(request, max_rows, max_seconds, lambda text: print(f"tradewinds: {text}", file=sys.stderr))
    end_now()


@reading_command(
    published_app,
    "tradewinds rollback",
    "tradewinds rollback --to 2021-01-01-0123456789ab",
    takes=("target", "quiet", "output"),
)
def rollback(
    request: Request,
    to: Annotated[
        str | None, typer.Option(metavar="VERSION", help="A kept version; the default is the previous one.")
    ] = None,
) -> None:
    """Publish the previous version again."""
    from pipeline.run import steps

    with shown(request):
        steps.rollback(request, to)
