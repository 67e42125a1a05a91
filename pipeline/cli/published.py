"""Commands for the published marts: query, answer, rollback."""

import sys
from typing import Annotated

import typer

from pipeline.cli.options import (
    Limit,
    Output,
    Quiet,
    RowFormat,
    Target,
    examples,
    reporter_for,
    serving,
)

published_app = typer.Typer()


@published_app.command(
    epilog=examples(
        'tradewinds query "select source_name, sum(landed_count) from ops.fct_reconciliation group by 1"',
        'tradewinds query "select * from ops.dim_run_dates order by run_date" --format csv --limit 100',
        "tradewinds query - --target postgres --format json < question.sql",
    )
)
def query(
    statement: Annotated[str, typer.Argument(metavar="SQL", help="One query; - reads it from standard input.")],
    limit: Limit = None,
    form: RowFormat = "table",
    target: Target = "duckdb",
) -> None:
    """Run one SQL query on the published marts, with a reader's rights."""
    from pipeline.cli.asking import ask

    with serving(target, None) as request:
        ask(request, sys.stdin.read() if statement == "-" else statement, form, limit)


@published_app.command(epilog=examples("tradewinds answer", "tradewinds answer --limit 5 --format json"))
def answer(limit: Limit = None, form: RowFormat = "table", target: Target = "duckdb") -> None:
    """Show the first rows of the published answer, marked in models/exports; csv and json have all of its columns."""
    from pipeline.cli.asking import ask_answer

    with serving(target, None) as request:
        ask_answer(request, form, limit)


@published_app.command(epilog=examples("tradewinds rollback", "tradewinds rollback --to 2021-01-01-0123456789ab"))
def rollback(
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="A kept version; the default is the previous one.")
    ] = None,
    target: Target = "duckdb",
    quiet: Quiet = False,
    output: Output = "text",
) -> None:
    """Publish the previous version again."""
    from pipeline.run import steps

    with serving(target, None, reporter=reporter_for(quiet, output)) as request:
        steps.rollback(request, to)
