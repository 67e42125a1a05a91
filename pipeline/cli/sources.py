"""`tradewinds sources`: list and add sources, start and stop the embedded Postgres."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.options import TODAY, Request, RowFormat, command
from pipeline.run.dates import parse_run_date

sources_app = typer.Typer(name="sources", help="List and add sources, generate and serve the samples.")
if find_spec("pipeline.cli.checkout"):  # not in a project that `init` has written
    sources_app.add_typer(import_module("pipeline.cli.checkout").samples_app)


@command(sources_app, "tradewinds sources list", name="list")
def list_(request: Request, output: RowFormat = "table") -> None:
    """List the sources with their kind, location, last landed day, and whether they use sample data."""
    from pipeline.cli.row_formats import write_rows
    from pipeline.own_sources.listing import COLUMNS, list_sources

    write_rows(list_sources(request), COLUMNS, output, None, request.reporter)


@command(
    sources_app,
    "tradewinds sources add shops --kind csv --path shops.csv.gz --since 2021-01-02",
    "tradewinds sources add erp --kind postgres --url postgresql://reader:…@db.example/erp --table invoices",
    "tradewinds sources add tides --kind dlt --resource my_sources.tides:tides",
    "tradewinds sources add rates --kind api --base-url https://api.example --resource rates",
)
def add(
    request: Request,
    name: Annotated[str, typer.Argument(help="The source's name: lower-case letters, digits and underscores.")],
    kind: Annotated[Literal["csv", "postgres", "dlt", "api"], typer.Option(help="The source's kind.")],
    path: Annotated[Path | None, typer.Option(help="A CSV file with a header, gzipped or not.")] = None,
    url: Annotated[
        str | None, typer.Option(help="The database's URL; stored in .dlt/secrets.toml, which git ignores.")
    ] = None,
    schema: Annotated[str | None, typer.Option(help="The schema; the default is public.")] = None,
    table: Annotated[list[str] | None, typer.Option(help="Only this table; repeatable.")] = None,
    base_url: Annotated[str | None, typer.Option(help="The API's URL.")] = None,
    resource: Annotated[
        list[str] | None, typer.Option(help="dlt: module:function. api: the name of a list; repeatable.")
    ] = None,
    since: Annotated[
        str,
        typer.Option(
            metavar="YYYY-MM-DD", help="The source's first day; the default is today.", callback=parse_run_date
        ),
    ] = TODAY,
) -> None:
    """Read a source and write its settings, staging models, tests and arrivals suite."""
    from pipeline.own_sources.adding import add_source

    say = request.reporter.say
    given = {"path": path, "url": url, "schema": schema, "table": table, "base_url": base_url, "resource": resource}
    files, looked = add_source(name, kind, {option: value for option, value in given.items() if value}, since)
    for found in looked.tables:
        key = " and ".join(found.key)
        say(f"{found.name}: {len(found.columns)} columns, from {since} on")
        guess = f"its key is a guess: {key} is the first column that is filled and different in every row"
        say(guess if found.is_guess else f"its key is {key}")
    for line in (*looked.notes, *(f"  {file}" for file in files), "next: tradewinds run"):
        say(line)


@command(sources_app, "tradewinds sources up")
def up(request: Request) -> None:
    """Start the embedded Postgres and keep it running."""
    from ingestion.embedded.postgres import EmbeddedPostgres

    EmbeddedPostgres(request.home.root).up()
    request.reporter.say("the embedded Postgres is running; stop it with: tradewinds sources down")


@command(sources_app, "tradewinds sources down")
def down(request: Request) -> None:
    """Stop the embedded Postgres."""
    from ingestion.embedded.postgres import EmbeddedPostgres

    stopped = EmbeddedPostgres(request.home.root).down()
    request.reporter.say("the embedded Postgres is stopped" if stopped else "the embedded Postgres was not running")
