"""The words in expectations' SQL for arrived and built tables."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jinja2
from sqlalchemy import Engine, text

from ingestion.sql import literal, quote
from pipeline.checks.landed import Arrival
from pipeline.checks.suites import Check

_SQL = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701


@dataclass(frozen=True)
class Vocabulary:
    """Render the SQL of expectations for one run date; every word is a relation in parentheses or a value."""

    engine: Engine
    run_date: str
    arrivals: list[Arrival]
    built_relation: Callable[[str], str]

    def render(self, sql: str) -> str:
        """Return the SQL with its words replaced; raises jinja2.UndefinedError on an unknown word."""
        template = _SQL.from_string(sql)
        return template.render(
            run_date=f"cast('{self.run_date}' as date)",
            arrived=self.arrived,
            before=self.before,
            mart=self.built_relation,
            volumes=self.volumes,
            column_fill=lambda: self._column_fill,
            moved_shares=self.moved_shares,
            gone=self.gone,
        ).strip()

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
        return f"select * from {self.built_relation(name)}"

    def arrived(self, name: str) -> str:
        """Return the rows of a raw table (`schema.table`) on the run date."""
        return _rows_of_day(name, self.run_date)

    def before(self, name: str) -> str:
        """Return the rows of a raw table on the earlier day that it is compared with, none if there is no such day."""
        days = [arrival.day_before for arrival in self.arrivals if arrival.name == name]
        return _rows_of_day(name, days[0] if days else None)

    def gone(self, name: str, key: str) -> str:
        """Return the rows of the day before whose key hasn't arrived, without NULLs."""
        return (
            f"(select * from {self.before(name)} as earlier where {key} is not null and not exists ("
            f"select 1 from {self.arrived(name)} as arrived where arrived.{key} = earlier.{key}))"
        )

    def moved_shares(self, name: str, column: str) -> str:
        """Return the column's values whose share of all rows moved by 20 points or more, of twenty rows or more."""
        return f"""(
            select *
            from (
                select {column}, count(*) filter (where is_today) as row_count,
                    count(*) filter (where not is_today) as row_count_before,
                    cast(sum(count(*) filter (where is_today)) over () as bigint) as total,
                    cast(sum(count(*) filter (where not is_today)) over () as bigint) as total_before
                from (
                    select {column}, true as is_today from {self.arrived(name)} as rows_of_day
                    union all
                    select {column}, false as is_today from {self.before(name)} as rows_before
                ) as rows_of_both
                group by {column}
            ) as counted
            where total >= 20 and total_before >= 20
                and abs(1.0 * row_count / total - 1.0 * row_count_before / total_before) >= 0.2
        )"""

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
    return f"{quote(schema)}.{quote(table)}"


def _rows_of_day(name: str, day: str | None) -> str:
    return f"(select * from {_relation(name)} where _run_date = cast({_literal(day)} as date))"


def _values(rows: list[tuple], names: list[str]) -> str:
    """Return rows as a relation: the first one or two columns are text, the others counts."""
    texts = sum(name.endswith("_name") for name in names)
    kinds = ["varchar"] * texts + ["bigint"] * (len(names) - texts)
    selects = [
        "select "
        + ", ".join(
            f"cast({_literal(value)} as {kind}) as {name}" for value, kind, name in zip(row, kinds, names, strict=True)
        )
        for row in rows or [(None,) * len(names)]
    ]
    nothing = "" if rows else " where 1 = 0"
    return f"({' union all '.join(selects)}{nothing})"


def _literal(value: str | int | None) -> str:
    if value is None:
        return "null"
    return str(value) if isinstance(value, int) else literal(value)
