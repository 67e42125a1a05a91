"""Import history from CSV through the judge, in parts of one transaction each; a rerun resumes."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import Connection, func, tuple_
from sqlalchemy.dialects import postgresql

from ingestion.errors import StepFailed
from ingestion.redact import show_text
from ingestion.rejects import Caps
from people_api.csv_lines import hash_csv, open_csv, read_lines
from people_api.database.models import Import
from people_api.intake import Rows, take_in
from people_api.judge import judge_shapes
from people_api.tables import TABLES, Table

Result = TypeVar("Result")
# Does a piece of work in a new transaction, or within an open one.
Transact = Callable[[Callable[[Connection], Result]], Result]

_LINES_PER_PART = 5_000
_EXAMPLES = 3


@dataclass
class Imported:
    """A file's result: each line is accepted or rejected; `inserted` counts the accepted ones that were new."""

    table: str
    path: Path
    bytes_total: int
    bytes_done: int = 0
    accepted: int = 0
    inserted: int = 0
    rejected: int = 0


OnProgress = Callable[[Imported], None]


def import_files(
    transact: Transact,
    files: dict[str, Path],
    *,
    is_sample: bool = False,
    on_progress: OnProgress = lambda so_far: None,
) -> list[Imported]:
    """Import these files by table, parents first; importing the same files again changes nothing.

    A line equal to a stored row is accepted and adds nothing, so repeating the command completes a killed import.
    Raises StepFailed when a file can't be read, before any is imported.
    """
    _refuse_unreadable(files)
    return [
        _import_file(transact, table, files[name], is_sample, on_progress)
        for name, table in TABLES.items()
        if name in files
    ]


def refuse_wrong_files(files: dict[str, Path], caps: Caps) -> None:
    """Raise StepFailed when too many of a file's first lines break the dictionary: it is another file than meant."""
    _refuse_unreadable(files)
    for name, path in files.items():
        with open_csv(path) as file:
            lines = list(islice(read_lines(file, TABLES[name]), _LINES_PER_PART))
        verdicts = judge_shapes(TABLES[name], [line.row for line in lines])
        bad = [(line, verdict) for line, verdict in zip(lines, verdicts, strict=True) if not verdict.is_accepted]
        if passed := caps.exceeded(len(bad), len(lines)):
            raise StepFailed(
                f"{path}: {len(bad):,} of the first {len(lines):,} lines aren't {name}, more than {passed} allows",
                findings=[
                    f"line {line.number} {', '.join(verdict.reasons).removeprefix('line: ')}: {show_text(line.text)}"
                    for line, verdict in bad[:_EXAMPLES]
                ],
            )


def _refuse_unreadable(files: dict[str, Path]) -> None:
    for name, path in files.items():
        with open_csv(path) as file:
            try:
                next(read_lines(file, TABLES[name]), None)
            except StepFailed as error:
                raise StepFailed(f"{path}: {error.reason}") from error


def _import_file(transact: Transact, table: Table, path: Path, is_sample: bool, on_progress: OnProgress) -> Imported:
    imported = Imported(table.name, path, bytes_total=0)
    with open_csv(path) as file:
        sha256, imported.bytes_total = hash_csv(file), os.fstat(file.fileno()).st_size
        batch_id = uuid5(NAMESPACE_OID, f"{table.name}:{sha256}")
        lines = read_lines(file, table)
        while part := list(islice(lines, _LINES_PER_PART)):
            values, texts = [line.row for line in part], [line.text for line in part]
            rows = Rows(table, batch_id, path.name, values, texts, part[0].number)
            outcome = transact(partial(take_in, rows=rows, accept_equal=True))
            imported.accepted += outcome.accepted
            imported.inserted += outcome.inserted
            imported.rejected += len(outcome.rejects)
            imported.bytes_done = file.tell()
            on_progress(imported)
    counts = {"accepted_count": imported.accepted, "rejected_count": imported.rejected}
    names = {"table_name": table.name, "file_name": path.name, "file_sha256": sha256}
    transact(lambda connection: _note(connection, counts, batch_id=batch_id, is_sample=is_sample, **names))
    return imported


def _note(connection: Connection, counts: dict[str, int], **file: Any) -> None:
    """Note the file and its counts; a repeated import that counts the same changes nothing."""
    insert = postgresql.insert(Import).values(**file, **counts)
    noted, new = ([getattr(row, name) for name in counts] for row in (Import, insert.excluded))
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=[Import.batch_id],
            set_=counts | {"finished_at": func.now()},
            where=tuple_(*noted) != tuple_(*new),
        )
    )
