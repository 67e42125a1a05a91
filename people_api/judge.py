"""Validate every row, from API or CSV, against the data dictionary and the stored rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, text

from people_api.dictionary import explain
from people_api.tables import Table


@dataclass(frozen=True)
class Unreadable:
    """The placeholder of an unreadable row, with the reason."""

    reason: str


@dataclass
class Verdict:
    """A row's verdict: its fields, none unless they are well formed, and every reason against it."""

    values: tuple
    reasons: list[str]
    is_stored: bool = False  # the table already has an equal row

    @property
    def is_accepted(self) -> bool:
        return not self.reasons


def judge_shapes(table: Table, rows: Sequence[Any]) -> list[Verdict]:
    """Validate each row against the data dictionary, without the database."""
    return [_judge_shape(table, row) for row in rows]


def _judge_shape(table: Table, row: Any) -> Verdict:
    if isinstance(row, Unreadable):
        return Verdict((), [row.reason])
    try:
        record = table.row.model_validate(row)
    except ValidationError as error:
        return Verdict((), explain(error))
    return Verdict(tuple(map(vars(record).__getitem__, table.fields)), [])


def judge_against_stored(
    connection: Connection, table: Table, verdicts: list[Verdict], *, accept_equal: bool, first_row: int
) -> None:
    """Add the reasons that need the database: missing parents, ids in use.

    The first of two rows with the same id wins. With `accept_equal`, a row equal to a stored one is accepted and marked
    as stored; otherwise its id counts as in use.
    """
    well_formed = [verdict for verdict in verdicts if verdict.values]
    if not well_formed:
        return
    places = {field: table.fields.index(field) for field in table.references}
    parents = {
        field: _existing(connection, parent, {verdict.values[places[field]] for verdict in well_formed})
        for field, parent in table.references.items()
    }
    stored = _stored(connection, table, [verdict.values[0] for verdict in well_formed])
    rows_of_ids: dict[int, int] = {}
    for row_number, verdict in enumerate(verdicts, first_row):
        if not verdict.values:
            continue
        for field, known in parents.items():
            if (parent := verdict.values[places[field]]) not in known:
                verdict.reasons.append(f"{field}: {table.references[field]} has no {parent}")
        id_ = verdict.values[0]
        if id_ in stored:
            verdict.is_stored = accept_equal and stored[id_] == comparable(table, verdict.values)
            if not verdict.is_stored:
                verdict.reasons.append(f"id: {table.name} has {id_} already{' with other values' * accept_equal}")
        elif id_ in rows_of_ids:
            verdict.reasons.append(f"id: {id_} is row {rows_of_ids[id_]}'s already")
        if verdict.is_accepted and accept_equal:
            stored[id_] = comparable(table, verdict.values)
        elif verdict.is_accepted:
            rows_of_ids[id_] = row_number


def comparable(table: Table, values: tuple) -> tuple:
    """Return a row's fields as the database returns them."""
    return tuple(
        datetime.fromisoformat(value) if type_ == "timestamptz" else value
        for value, type_ in zip(values, table.types.values(), strict=True)
    )


def _existing(connection: Connection, parent: str, ids: set[int]) -> set[int]:
    query = text(f"select id from {parent} where id = any(cast(:ids as integer[]))")
    return set(connection.execute(query, {"ids": _array(ids)}).scalars())


def _stored(connection: Connection, table: Table, ids: list[int]) -> dict[int, tuple]:
    query = text(f"select {', '.join(table.fields)} from {table.name} where id = any(cast(:ids as integer[]))")
    return {row[0]: tuple(row) for row in connection.execute(query, {"ids": _array(ids)})}


def _array(ids: Iterable[int]) -> str:
    """Return a Postgres array literal; integers need no escaping."""
    return "{" + ",".join(map(str, ids)) + "}"
