"""`tradewinds people backup` and `restore`: the people tables, out to Avro files and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingestion.settings import Home
from pipeline.reporter import Reporter

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from people_api.backups import Store

backups_app = typer.Typer()

Table = Annotated[str, typer.Argument(help="departments, jobs, employees or rejected_rows.")]


@backups_app.command()
def backup(table: Table) -> None:
    """Keep a table's rows of this moment as one more Avro file."""
    from people_api.backups import back_up

    with _opened(table) as (engine, store):
        taken = back_up(engine, table, store)
    Reporter().say(f"{table}: {taken.rows:,} rows backed up to {taken.location}")


@backups_app.command()
def restore(
    table: Table,
    file: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="This backup, by its name, path or s3:// URL; else the newest."),
    ] = None,
) -> None:
    """Replace a table's rows by those of a backup, whole or not at all."""
    from people_api.backups import open_folder, restore_from
    from people_api.backups import restore as restore_named

    with _opened(table) as (engine, store):
        if file is None or ("/" not in file and not Path(file).exists()):
            used = restore_named(engine, table, store, file)
        else:
            folder, slash, name = file.rpartition("/")
            used = restore_from(engine, table, open_folder(folder + slash), name)
    Reporter().say(f"{table}: {used.rows:,} rows restored from {used.location}")


@contextmanager
def _opened(table: str) -> Iterator[tuple["Engine", "Store"]]:
    """Yield the people database, brought to its present schema, and the store of its backups."""
    from people_api.backups import open_store
    from people_api.backups.schemas import check_table
    from people_api.database import migrate, open_engine, people_database

    check_table(table)
    home = Home.from_environment()
    store = open_store(home)
    with people_database(home) as url, open_engine(url) as engine:
        migrate(engine)
        yield engine, store
