"""`tradewinds people`: the people database, its service, and a small client of it."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ingestion.errors import BadRequest, StepFailed
from pipeline.options import Target, request_for, serving

if TYPE_CHECKING:
    from sqlalchemy import Engine

people_app = typer.Typer(help="Departments, jobs and employees: the database, its service, and a small client.")
key_app = typer.Typer(help="Keys that open the service.")
people_app.add_typer(key_app, name="key")

TableName = Annotated[Literal["departments", "jobs", "employees"], typer.Argument(metavar="TABLE")]
CsvFile = Annotated[Path | None, typer.Option(metavar="FILE", help="A CSV file, with or without a header.")]


@people_app.command("import")
def import_(departments: CsvFile = None, jobs: CsvFile = None, employees: CsvFile = None) -> None:
    """Take CSV files in, line by line: accepted, or rejected and logged with every reason.

    The same files again change nothing, and an import that was cut off goes on by the same command. The generated
    sample makes room for the first files of one's own.
    """
    from people_api.importing import import_files
    from people_api.intake import in_transaction
    from people_api.sample import clear_sample

    given = {"departments": departments, "jobs": jobs, "employees": employees}
    files = {table: path for table, path in given.items() if path is not None}
    if not files:
        raise BadRequest("nothing to import; name a file with --departments, --jobs or --employees")
    reporter = request_for().reporter
    with _people_engine() as engine, _import_progress(reporter.console) as on_progress:
        if clear_sample(engine):
            reporter.say("the generated sample made room")
        imported = import_files(lambda work: in_transaction(engine, work), files, on_progress=on_progress)
    for file in imported:
        lines = file.accepted + file.rejected
        note = f"{file.accepted:,} accepted ({file.inserted:,} new), {file.rejected:,} rejected"
        reporter.line("import", f"{file.table} from {file.path.name}", lines, None, note)
    if any(file.rejected for file in imported):
        reporter.say("each rejected row, with its reasons: tradewinds people rejects")


@people_app.command()
def rejects(
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest first.")] = 20,
    form: Annotated[Literal["table", "csv", "json"], typer.Option("--format")] = "table",
) -> None:
    """Show the rows that the service or an import rejected, with every reason."""
    from people_api.rejected import COLUMNS, newest_rejects
    from pipeline.row_formats import write_rows

    with _people_engine() as engine:
        write_rows(newest_rejects(engine, limit), COLUMNS, form, limit, request_for().reporter)


@people_app.command()
def migrate() -> None:
    """Bring the people database's tables up to date; `serve` and `import` do it by themselves."""
    with _people_engine():
        request_for().reporter.say("the people database is up to date")


@people_app.command()
def serve(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8321,
    target: Target = "duckdb",
) -> None:
    """Run the service until it is stopped; its log is logs/people-service.jsonl in the home."""
    from people_api.serving import serve as serve_people
    from pipeline.people import PublishedReports
    from pipeline.publishing import open_publisher

    with serving(target, None) as request:
        published = PublishedReports(open_publisher(target, request.home))
        say = request.reporter.say
        serve_people(request.home, published, host, port, lambda url: say(f"the people service answers at {url}"))


@key_app.command()
def create(
    name: Annotated[str, typer.Option("--name", help="Whose it is, for `key list`.")],
    role: Annotated[Literal["reader", "writer", "admin"], typer.Option("--role")] = "reader",
) -> None:
    """Make a key and print it, this once."""
    from people_api.keys import create_key

    with _people_engine() as engine:
        print(create_key(engine, name, role))


@key_app.command("list")
def list_keys() -> None:
    """Show whose keys there are, and which are revoked."""
    from people_api.keys import list_keys as keys_of

    say = request_for().reporter.say
    with _people_engine() as engine:
        for key in keys_of(engine):
            say(f"{key.id}  {key.role:<6}  {key.name}{'  revoked' if key.revoked_at else ''}")


@key_app.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="As `key list` shows it.")]) -> None:
    """Close a key for good."""
    from people_api.keys import revoke_key

    with _people_engine() as engine:
        revoke_key(engine, key_id)


@people_app.command()
def add(
    table: TableName,
    rows: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ROW]...", help="JSON objects; without one, a line each of standard input."),
    ] = None,
) -> None:
    """Send rows to the service (PEOPLE_API_URL, PEOPLE_API_KEY); exit 1 when it rejects one."""
    client, say = _client(), request_for().reporter.say
    added = client.add(table, map(_parse_row, rows or (line for line in sys.stdin if line.strip())))
    say(f"{added.accepted:,} accepted, {len(added.rejects):,} rejected")
    for row, reasons in added.rejects.items():
        say(f"row {row}: {'; '.join(reasons)}")
    if added.rejects:
        raise typer.Exit(1)


@people_app.command()
def get(table: TableName, row_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Print one row of the service as JSON."""
    print(json.dumps(_client().get(table, row_id), ensure_ascii=False))


@people_app.command("list")
def list_(
    table: TableName,
    include_inactive: Annotated[bool, typer.Option("--include-inactive", help="Those deleted softly, too.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="All when not said.")] = None,
) -> None:
    """Print the rows of the service, a JSON object a line."""
    for row in _client().list(table, include_inactive=include_inactive, limit=limit):
        print(json.dumps(row, ensure_ascii=False))


@people_app.command()
def report(
    name: Annotated[Literal["hires-by-quarter", "departments-above-mean"], typer.Argument(metavar="REPORT")],
    year: Annotated[int, typer.Option("--year")],
    form: Annotated[Literal["json", "csv"], typer.Option("--format")] = "csv",
) -> None:
    """Print a hire report of the published marts, from the service."""
    print(_client().report(name, year, form).rstrip("\n"))


@contextmanager
def _people_engine() -> Iterator["Engine"]:
    """Open the people database, its tables up to date; raises StepFailed when it can't be reached or refuses."""
    from sqlalchemy.exc import DBAPIError

    from ingestion.redact import one_line
    from people_api.database import migrate as migrate_tables
    from people_api.database import open_engine, people_database

    with people_database(request_for().home) as url, open_engine(url) as engine:
        migrate_tables(engine)
        try:
            yield engine
        except DBAPIError as error:
            raise StepFailed(f"the people database refused: {one_line(error.orig)}") from error


@contextmanager
def _import_progress(console) -> Iterator[Callable]:
    """Show a bar a file on a terminal, and nothing elsewhere."""
    from rich.progress import Progress

    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks: dict[str, int] = {}

        def show(so_far) -> None:
            if so_far.table not in tasks:
                tasks[so_far.table] = progress.add_task(so_far.path.name, total=so_far.bytes_total)
            description = f"{so_far.path.name}  {so_far.accepted:,} accepted, {so_far.rejected:,} rejected"
            progress.update(tasks[so_far.table], completed=so_far.bytes_done, description=description)

        yield show


def _client():
    from people_api.client import Client

    return Client(request_for().home)


def _parse_row(text: str):
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadRequest(f"a row must be a JSON object, not {text.strip()[:80]!r}") from error
