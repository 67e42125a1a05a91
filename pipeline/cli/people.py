"""`tradewinds people`: the people database and its service."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ingestion.errors import BadRequest
from pipeline.cli.options import Request, command, people_database, reading_command
from pipeline.cli.people_client import client_app

if TYPE_CHECKING:
    from rich.console import Console

    from people_api.importing import Imported, OnProgress

people_app = typer.Typer(name="people", help="Departments, jobs and employees: the database, its service and a client.")
key_app = typer.Typer(help="API keys of the service.")
people_app.add_typer(key_app, name="key")
people_app.add_typer(client_app)

Table = Annotated[str, typer.Argument(help="departments, jobs, employees or rejected_rows.")]
CsvFile = Annotated[Path | None, typer.Option(metavar="FILE", help="A CSV file, with or without a header.")]


@command(
    people_app,
    "tradewinds people import --employees employees.csv",
    "tradewinds people import --departments departments.csv --jobs jobs.csv --employees employees.csv",
    name="import",
)
def import_(request: Request, departments: CsvFile = None, jobs: CsvFile = None, employees: CsvFile = None) -> None:
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
    reporter = request.reporter
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


@command(people_app, "tradewinds people rejects --limit 5 --format json")
def rejects(
    request: Request,
    limit: Annotated[int, typer.Option(min=1, help="The maximum number of rows, newest first.")] = 20,
    form: Annotated[Literal["table", "csv", "json"], typer.Option("--format")] = "table",
) -> None:
    """Show the rows that the service or an import rejected, with every reason."""
    from people_api.intake import REJECT_COLUMNS, newest_rejects
    from pipeline.cli.row_formats import write_rows

    with people_database() as engine:
        write_rows(newest_rejects(engine, limit), REJECT_COLUMNS, form, limit, request.reporter)


@command(people_app, "tradewinds people migrate")
def migrate(request: Request) -> None:
    """Migrate the people database's tables; `serve` and `import` do so automatically."""
    with people_database():
        request.reporter.say("the people database is up to date")


@command(people_app, "tradewinds people backup employees")
def backup(request: Request, table: Table) -> None:
    """Back up a table's current rows to a new Avro file."""
    from people_api.backups import back_up
    from people_api.backups.schemas import check_table

    check_table(table)
    with people_database() as engine:
        taken = back_up(engine, table, request.home.backups)
    request.reporter.say(f"{table}: {taken.rows:,} rows backed up to {taken.location}")


@command(
    people_app,
    "tradewinds people restore employees",
    "tradewinds people restore employees --from s3://company-data/backups/employees.avro",
)
def restore(
    request: Request,
    table: Table,
    file: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="The backup's name, path or s3:// URL; the default is the newest."),
    ] = None,
) -> None:
    """Replace a table's rows with those of a backup, in one transaction."""
    from ingestion.stores import open_store
    from people_api.backups import restore as restore_named
    from people_api.backups import restore_from
    from people_api.backups.schemas import check_table

    check_table(table)
    with people_database() as engine:
        if file is None or ("/" not in file and not Path(file).exists()):
            used = restore_named(engine, table, request.home.backups, file)
        else:
            folder, slash, name = file.rpartition("/")
            used = restore_from(engine, table, open_store(folder + slash, request.home.work), name)
    request.reporter.say(f"{table}: {used.rows:,} rows restored from {used.location}")


@reading_command(people_app, "tradewinds people serve --port 8321")
def serve(
    request: Request,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 uses a free one.")] = 8321,
) -> None:
    """Run the service until it is stopped; its log is logs/people-service.jsonl in the home."""
    from people_api.serving import serve as serve_people
    from pipeline.people import read_report
    from pipeline.publishing import open_publisher

    reports, say = partial(read_report, open_publisher(request.target, request.home)), request.reporter.say
    serve_people(request.home, reports, host, port, lambda url: say(f"the people service answers at {url}"))


@command(key_app, "tradewinds people key create --name night-shift --role writer")
def create(
    name: Annotated[str, typer.Option(help="The holder's name, for `key list`.")],
    role: Annotated[Literal["reader", "writer", "admin"], typer.Option("--role")] = "reader",
) -> None:
    """Create a key and print it; it can't be shown again."""
    from people_api.keys import create_key

    with people_database() as engine:
        print(create_key(engine, name, role))


@command(key_app, "tradewinds people key list", name="list")
def list_keys(request: Request) -> None:
    """List the keys, their holders, and which are revoked."""
    from people_api.keys import list_keys as keys_of

    say = request.reporter.say
    with people_database() as engine:
        for key in keys_of(engine):
            say(f"{key.id}  {key.role:<6}  {key.name}{'  revoked' if key.revoked_at else ''}")


@command(key_app, "tradewinds people key revoke 4f2a9c")
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
