"""Judge rows one by one, insert the valid ones and log the rejects, in one transaction; read that log."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import DBAPIError

from people_api.database.models import RejectedRow
from people_api.judge import Verdict, judge_against_stored, judge_shapes
from people_api.tables import Table

Result = TypeVar("Result")

# Errors that another writer can cause; the transaction is retried, and its rows judged again.
_PASSING = {"40P01": "deadlock", "40001": "serialization failure", "23503": "foreign key violation"}
_TRIES = 5
REJECT_COLUMNS = ("table_name", "source", "row_number", "reasons", "payload", "rejected_at")


@dataclass(frozen=True)
class Rows:
    """Rows to insert, with their batch, their source and the first one's number."""

    table: Table
    batch_id: UUID
    source: str
    values: Sequence[Any]
    texts: Sequence[str]  # of the rows, unchanged
    first_row: int = 1


@dataclass(frozen=True)
class Outcome:
    """The result: how many rows were accepted, how many of those were new, and why others were rejected."""

    accepted: int
    inserted: int
    rejects: dict[int, list[str]]  # reasons by row number


def take_in(connection: Connection, rows: Rows, *, accept_equal: bool = False) -> Outcome:
    """Insert the valid rows and log the others as rejects.

    A batch's earlier log entries are replaced, so the same file again changes nothing.
    """
    verdicts = judge_shapes(rows.table, rows.values)
    judge_against_stored(connection, rows.table, verdicts, accept_equal=accept_equal, first_row=rows.first_row)
    new, inserted = _new(verdicts), set()
    while new:
        inserted |= _insert(connection, rows.table, new)
        overtaken = [verdict for verdict in new if verdict.values[0] not in inserted]
        judge_against_stored(connection, rows.table, overtaken, accept_equal=accept_equal, first_row=rows.first_row)
        new = _new(overtaken)
    rejects = {row: verdict.reasons for row, verdict in enumerate(verdicts, rows.first_row) if verdict.reasons}
    _log(connection, rows, rejects, accept_equal)
    return Outcome(len(verdicts) - len(rejects), len(inserted), rejects)


def _new(verdicts: list[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.is_accepted and not verdict.is_stored]


def in_transaction(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    """Do the work in one transaction, and retry it after a conflict with another writer."""
    for tries_left in reversed(range(_TRIES)):
        try:
            with engine.begin() as connection:
                return work(connection)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _PASSING or not tries_left:
                raise
    raise AssertionError("the last try returns or raises")


def _insert(connection: Connection, table: Table, verdicts: list[Verdict]) -> set[int]:
    """Insert rows in order of id, so that two batches can't deadlock; return the inserted ids."""
    if not verdicts:
        return set()
    columns = ", ".join(f"{field} {type_}" for field, type_ in table.types.items())
    statement = text(
        f"insert into {table.name} ({', '.join(table.fields)}) "
        f"select * from json_to_recordset(cast(:rows as json)) as rows ({columns}) order by id "
        "on conflict (id) do nothing returning id"
    )
    # One text for all rows: the driver takes longer to write arrays than Postgres to read this.
    rows = json.dumps([dict(zip(table.fields, verdict.values, strict=True)) for verdict in verdicts])
    return set(connection.execute(statement, {"rows": rows}).scalars())


_LOG = text(
    """
    insert into rejected_rows (batch_id, table_name, source, row_number, payload, reasons)
    select :batch_id, :table_name, :source, logged.row_number, logged.payload,
        array(select json_array_elements_text(logged.reasons))
    from json_to_recordset(cast(:rejects as json)) as logged (row_number bigint, payload text, reasons json)
    on conflict (batch_id, row_number) do update
    set payload = excluded.payload, reasons = excluded.reasons, rejected_at = now()
    where rejected_rows.reasons <> excluded.reasons
    """
)
_FORGET = text(
    """
    delete from rejected_rows
    where batch_id = :batch_id and row_number between :first and :last and row_number <> all(:numbers)
    """
)


def _log(connection: Connection, rows: Rows, rejects: dict[int, list[str]], was_logged: bool) -> None:
    if was_logged:
        last = rows.first_row + len(rows.values) - 1
        bounds = {"batch_id": rows.batch_id, "first": rows.first_row, "last": last, "numbers": list(rejects)}
        connection.execute(_FORGET, bounds)
    if rejects:
        parameters = {
            "batch_id": rows.batch_id,
            "table_name": rows.table.name,
            "source": rows.source,
            "rejects": json.dumps(
                [
                    {"row_number": number, "payload": rows.texts[number - rows.first_row], "reasons": reasons}
                    for number, reasons in rejects.items()
                ]
            ),
        }
        connection.execute(_LOG, parameters)


def newest_rejects(engine: Engine, limit: int) -> list[dict[str, Any]]:
    """Return REJECT_COLUMNS of the newest rejected rows, each with its reasons as one text."""
    newest = select(RejectedRow.__table__).order_by(RejectedRow.id.desc()).limit(limit)
    with engine.connect() as connection:
        rows = connection.execute(newest).mappings()
        return [{**row, "reasons": "; ".join(row["reasons"])} for row in rows]
