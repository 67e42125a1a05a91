"""`tradewinds people add`, `get`, `list` and `report`: a small client of the service."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ingestion.errors import BadRequest
from pipeline.cli.options import Request, command

if TYPE_CHECKING:
    from people_api.client import Client

client_app = typer.Typer()

TableName = Annotated[Literal["departments", "jobs", "employees"], typer.Argument(metavar="TABLE")]


@command(
    client_app,
    'tradewinds people add departments \'{"id": 13, "name": "Research"}\'',
    "tradewinds people add employees < rows.jsonl",
)
def add(
    request: Request,
    table: TableName,
    rows: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ROW]...", help="JSON objects; by default one on each line of standard input."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A CSV file; sending the same lines again adds nothing.")
    ] = None,
    first: Annotated[int, typer.Option("--first-line", min=1, help="The file's first line to send.")] = 1,
    count: Annotated[int | None, typer.Option("--lines", min=1, help="The number of lines to send.")] = None,
    allow_rejects: Annotated[
        bool, typer.Option("--allow-rejects", help="Exit 0 even if rows are rejected; the service logs them.")
    ] = False,
) -> None:
    """Send rows to the service (PEOPLE_API_URL, PEOPLE_API_KEY); exit 1 if it rejects any."""
    from people_api.csv_lines import read_part

    if (file is None and (first > 1 or count)) or (file and rows):
        raise BadRequest("--first-line and --lines need --file, and --file excludes rows as arguments")
    client, say = _client(request), request.reporter.say
    if file:
        part = read_part(file, table, first, count)
        added = client.add(table, part.rows, first_row=part.first_line, key=part.key)
    else:
        added = client.add(table, map(_parse_row, rows or (line for line in sys.stdin if line.strip())))
    say(f"{added.accepted:,} accepted, {len(added.rejects):,} rejected")
    for row, reasons in added.rejects.items():
        say(f"{'line' if file else 'row'} {row}: {'; '.join(reasons)}")
    if added.rejects and not allow_rejects:
        raise typer.Exit(1)


@command(client_app, "tradewinds people get departments 13")
def get(request: Request, table: TableName, row_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Print one row of the service as JSON."""
    print(json.dumps(_client(request).get(table, row_id), ensure_ascii=False))


@command(client_app, "tradewinds people list jobs --limit 10", name="list")
def list_(
    request: Request,
    table: TableName,
    include_inactive: Annotated[bool, typer.Option("--include-inactive", help="Include soft-deleted rows.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="The maximum number of rows.")] = None,
) -> None:
    """Print the rows of the service, one JSON object a line."""
    for row in _client(request).list(table, include_inactive=include_inactive, limit=limit):
        print(json.dumps(row, ensure_ascii=False))


@command(client_app, "tradewinds people report hires-by-quarter --year 2021")
def report(
    request: Request,
    name: Annotated[Literal["hires-by-quarter", "departments-above-mean"], typer.Argument(metavar="REPORT")],
    year: Annotated[int, typer.Option()],
    form: Annotated[Literal["json", "csv"], typer.Option("--format")] = "csv",
) -> None:
    """Print a hire report of the published marts, from the service."""
    print(_client(request).report(name, year, form).rstrip("\n"))


def _client(request: Request) -> "Client":
    from people_api.client import Client

    return Client(request.home)


def _parse_row(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadRequest(f"a row must be a JSON object, not {text.strip()[:80]!r}") from error
