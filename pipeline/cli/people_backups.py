"""`tradewinds people backup` and `restore`: the people tables, to Avro files and back."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import examples, people_database, request_for

backups_app = typer.Typer()

Table = Annotated[str, typer.Argument(help="departments, jobs, employees or rejected_rows.")]


@backups_app.command(epilog=examples("tradewinds people backup employees"))
def backup(table: Table) -> None:
    """Back up a table's current rows to a new Avro file."""
    from people_api.backups import back_up
    from people_api.backups.schemas import check_table

    check_table(table)
    with people_database() as engine:
        taken = back_up(engine, table, request_for().home.backups)
    request_for().reporter.say(f"{table}: {taken.rows:,} rows backed up to {taken.location}")


@backups_app.command(
    epilog=examples(
        "tradewinds people restore employees",
        "tradewinds people restore employees --from s3://company-data/backups/employees.avro",
    )
)
def restore(
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
        home = request_for().home
        if file is None or ("/" not in file and not Path(file).exists()):
            used = restore_named(engine, table, home.backups, file)
        else:
            folder, slash, name = file.rpartition("/")
            used = restore_from(engine, table, open_store(folder + slash, home.work), name)
    request_for().reporter.say(f"{table}: {used.rows:,} rows restored from {used.location}")
