"""The words in expectations' SQL for arrived and built tables."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
from sqlalchemy import Engine, text

from ingestion.sql import literal, name_of, quote
from ingestion.warehouse import Warehouse
from pipeline.checks.landed import Arrival
from pipeline.checks.suites import Check

_TEMPLATES = jinja2.FileSystemLoader(Path(__file__).with_name("templates"))
_SQL = jinja2.Environment(loader=_TEMPLATES, undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701
_MADE = ("gone", "moved_shares")  # the macros of words.sql


@dataclass(frozen=True)
class Vocabulary:
    """Render the SQL of expectations for one run date; every word is a relation in parentheses or a value."""

    engine: Engine
    run_date: str
    arrivals: list[Arrival]
    warehouse: Warehouse

    def render(self, sql: str) -> str:
        """Return the SQL with its words replaced; raises jinja2.UndefinedError on an unknown word."""
        words = {
            "run_date": _date(self.run_date),
            "arrived": self.arrived,
            "before": self.before,
            "ended": self.ended,
            "mart": self.warehouse.built_relation,
            "volumes": self.volumes,
            "column_fill": lambda: self._column_fill,
        }
        made = vars(_SQL.get_template("words.sql").make_module(words))
        return _SQL.from_string(sql).render(words, **{name: made[name] for name in _MADE}).strip()

    def bounds(self, check: Check) -> dict[str, Any] | None:
        """Return the arguments that a check's SQL computes; None if one is NULL, as on a first day.

        A table without rows has nothing to compare: other expectations find that it is empty.
        """
        if any(arrival.name == check.table and not arrival.rows for arrival in self.arrivals):
            return None
        with self.engine.connect() as connection:
            row = connection.execute(text(self.render(check.bounds or ""))).mappings().one()
        return None if None in row.values() else dict(row)

    def relation(self, name: str) -> str:
        """Return a checked table as a query: a raw table's rows of the run date, or all rows of a mart."""
        if name.startswith("raw_ops."):
            return f"select * from {name} where run_date = cast('{self.run_date}' as date)"
        if name.startswith("raw_"):
            return self.arrived(name)[1:-1]
        return f"select * from {self.warehouse.built_relation(name)}"

    def arrived(self, name: str) -> str:
        """Return the rows of a raw table (`schema.table`) on the run date."""
        return _rows_of_day(name, self.run_date)

    def before(self, name: str) -> str:
        """Return the rows of a raw table on the earlier day that it is compared with, none if there is no such day."""
        return _rows_of_day(name, self._day_before(name))

    def _day_before(self, name: str) -> str | None:
        return next((arrival.day_before for arrival in self.arrivals if arrival.name == name), None)

    def ended(self, name: str) -> str:
        """Return a raw table's rows on the earlier day, without the run date's own where the engine can tell them."""
        day = self._day_before(name)
        return f"({self.warehouse.ended(name, _date(day), _date(self.run_date))})"

    def volumes(self) -> str:
        """Return one row per table: table_name, row_count, row_count_before; the last is NULL on a first day."""
        return _values(
            [(arrival.name, arrival.rows, arrival.rows_before) for arrival in self.arrivals],
            ["table_name", "row_count", "row_count_before"],
        )

    @cached_property
    def _column_fill(self) -> str:
        """One row per column: table_name, column_name, row_count, filled_count, and both `_before`.

        Only tables with rows on both days are included.
        """
        rows = []
        for arrival in self.arrivals:
            if arrival.rows and arrival.rows_before:
                rows += self._filled(arrival)
        names = ["table_name", "column_name", "row_count", "filled_count", "row_count_before", "filled_count_before"]
        return _values(rows, names)

    def _filled(self, arrival: Arrival) -> list[tuple]:
        with self.engine.connect() as connection:
            columns = list(connection.execute(text(f"select * from {_relation(arrival.name)} where 1 = 0")).keys())
            columns.remove("_run_date")
            counts = ", ".join(f"count({quote(column)})" for column in columns)
            today, before = (
                connection.execute(
                    text(f"select count(*), {counts} from {_rows_of_day(arrival.name, day)} as rows_")
                ).one()
                for day in (self.run_date, arrival.day_before)
            )
        return [
            (arrival.name, column, today[0], filled, before[0], filled_before)
            for column, filled, filled_before in zip(columns, today[1:], before[1:], strict=True)
        ]


def _relation(name: str) -> str:
    schema, _, table = name.partition(".")
    return name_of(schema, table)


def _rows_of_day(name: str, day: str | None) -> str:
    return f"(select * from {_relation(name)} where _run_date = {_date(day)})"


def _date(day: str | None) -> str:
    return f"cast({literal(day) if day else 'null'} as date)"


def _values(rows: list[tuple], names: list[str]) -> str:
    listed = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows or [(None,) * len(names)])
    return f"(select * from (values {listed}) as listed ({', '.join(names)}) where {names[0]} is not null)"


def _literal(value: str | int | None) -> str:
    if value is None:
        return "cast(null as bigint)"
    return str(value) if isinstance(value, int) else literal(value)
