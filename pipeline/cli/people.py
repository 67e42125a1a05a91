"""`tradewinds people`: the people database and its service."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ingestion.errors import BadRequest
from pipeline.cli.options import Target, examples, people_database, request_for, serving
from pipeline.cli.people_backups import backups_app
from pipeline.cli.people_client import client_app

if TYPE_CHECKING:
    from rich.console import Console

    from people_api.importing import Imported, OnProgress

people_app = typer.Typer(name="people", help="Departments, jobs and employees: the database, its service and a client.")
key_app = typer.Typer(help="API keys of the service.")
people_app.add_typer(key_app, name="key")
people_app.add_typer(client_app)
people_app.add_typer(backups_app)

CsvFile = Annotated[Path | None, typer.Option(metavar="FILE", help="A CSV file, with or without a header.")]


@people_app.command(
    "import",
    epilog=examples(
        "tradewinds people import --employees employees.csv",
        "tradewinds people import --departments departments.csv --jobs jobs.csv --employees employees.csv",
    ),
)
def import_(departments: CsvFile = None, jobs: CsvFile = None, employees: CsvFile = None) -> None:
    """Import CSV files: every line is accepted, or rejected and logged with every reason.

    A file is refused if more than nine in ten of its first 5,000 lines would be rejected.

    Importing the same files again changes nothing. The same command resumes an interrupted import. Your first import
    replaces the generated sample.
    """
    from ingestion.rejects import read_caps
    from people_api.importing import import_files, refuse_wrong_files
    from people_api.intake import in_transaction
    from people_api.sample import clear_sample

    given = {"departments": departments, "jobs": jobs, "employees": employees}
    files = {table: path for table, path in given.items() if path is not None}
    if not files:
        raise BadRequest("nothing to import; name a file with --departments, --jobs or --employees")
    refuse_wrong_files(files, replace(read_caps("people", "people"), rows=None))
    reporter = request_for().reporter
    with people_database() as engine, _import_progress(reporter.console) as on_progress:
        if clear_sample(engine):
            reporter.say("the generated sample made room")
        imported = import_files(lambda work: in_transaction(engine, work), files, on_progress=on_progress)
    for file in imported:
        lines = file.accepted + file.rejected
        note = f"{file.accepted:,} accepted ({file.inserted:,} new), {file.rejected:,} rejected"
        reporter.line("import", f"{file.table} from {file.path.name}", lines, None, note)
    if any(file.rejected for file in imported):
        reporter.say("each rejected row, with its reasons: tradewinds people rejects")


@people_app.command(epilog=examples("tradewinds people rejects --limit 5 --format json"))
def rejects(
    limit: Annotated[int, typer.Option("--limit", min=1, help="The maximum number of rows, newest first.")] = 20,
    form: Annotated[Literal["table", "csv", "json"], typer.Option("--format")] = "table",
) -> None:
    """Show the rows that the service or an import rejected, with every reason."""
    from people_api.intake import REJECT_COLUMNS, newest_rejects
    from pipeline.cli.row_formats import write_rows

    with people_database() as engine:
        write_rows(newest_rejects(engine, limit), REJECT_COLUMNS, form, limit, request_for().reporter)


@people_app.command(epilog=examples("tradewinds people migrate"))
def migrate() -> None:
    """Migrate the people database's tables; `serve` and `import` do so automatically."""
    with people_database():
        request_for().reporter.say("the people database is up to date")


@people_app.command(epilog=examples("tradewinds people serve --port 8321"))
def serve(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 uses a free one.")] = 8321,
    target: Target = "duckdb",
) -> None:
    """Run the service until it is stopped; its log is logs/people-service.jsonl in the home."""
    from people_api.serving import serve as serve_people
    from pipeline.people import read_report
    from pipeline.publishing import open_publisher

    request = request_for(target)
    with serving(request):
        reports = partial(read_report, open_publisher(target, request.home))
        say = request.reporter.say
        serve_people(request.home, reports, host, port, lambda url: say(f"the people service answers at {url}"))


@key_app.command(epilog=examples("tradewinds people key create --name night-shift --role writer"))
def create(
    name: Annotated[str, typer.Option("--name", help="The holder's name, for `key list`.")],
    role: Annotated[Literal["reader", "writer", "admin"], typer.Option("--role")] = "reader",
) -> None:
    """Create a key and print it; it can't be shown again."""
    from people_api.keys import create_key

    with people_database() as engine:
        print(create_key(engine, name, role))


@key_app.command("list", epilog=examples("tradewinds people key list"))
def list_keys() -> None:
    """List the keys, their holders, and which are revoked."""
    from people_api.keys import list_keys as keys_of

    say = request_for().reporter.say
    with people_database() as engine:
        for key in keys_of(engine):
            say(f"{key.id}  {key.role:<6}  {key.name}{'  revoked' if key.revoked_at else ''}")


@key_app.command(epilog=examples("tradewinds people key revoke 4f2a9c"))
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="As `key list` shows it.")]) -> None:
    """Revoke a key permanently."""
    from people_api.keys import revoke_key

    with people_database() as engine:
        revoke_key(engine, key_id)


@contextmanager
def _import_progress(console: "Console") -> Iterator["OnProgress"]:
    """Show one progress bar per file on a terminal, and nothing elsewhere."""
    from rich.progress import Progress, TaskID

    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def show(so_far: "Imported") -> None:
            if so_far.table not in tasks:
                tasks[so_far.table] = progress.add_task(so_far.path.name, total=so_far.bytes_total)
            description = f"{so_far.path.name}  {so_far.accepted:,} accepted, {so_far.rejected:,} rejected"
            progress.update(tasks[so_far.table], completed=so_far.bytes_done, description=description)

        yield show
