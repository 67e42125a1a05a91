"""What a warehouse records of itself in `raw_ops`: the loaded days, those in history, and the state of the marts."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any

from ingestion.sql import name_of
from ingestion.warehouse.tables import OPS, BuildMark

# The first parameter as a day, in the SQL that all engines share.
DAY = "$1::text::date"


class Recorded(ABC):
    """The records of an engine's warehouse."""

    @abstractmethod
    def _asking(self) -> AbstractContextManager[Any]:
        """Yield a cursor for small queries, None when there is no warehouse yet."""

    def loaded_runs(self, run_date: str) -> dict[str, str]:
        """Return the run ids of the extracts loaded for a day, by source; empty when nothing is loaded."""
        return self._loaded("=", run_date).get(run_date, {})

    def loaded_before(self, run_date: str) -> dict[str, dict[str, str]]:
        """Return the same of every earlier day, by day."""
        return self._loaded("<", run_date)

    def _loaded(self, compared: str, run_date: str) -> dict[str, dict[str, str]]:
        query = f"select distinct run_date, source, run_id from {{}} where run_date {compared} {DAY} order by run_id"
        loaded: dict[str, dict[str, str]] = {}
        for day, source, run in self._rows("landed_tables", query, run_date):
            runs = loaded.setdefault(str(day), {})
            runs[source] = f"{runs[source]},{run}" if source in runs else run
        return loaded

    def has_source_days(self) -> bool:
        """Return whether `raw_ops.source_days` has rows."""
        return bool(self._rows("source_days", "select 1 from {} limit 1"))

    def loaded_days(self) -> list[str]:
        """Return the loaded days, oldest first."""
        query = "select distinct run_date from {} order by 1"
        return [str(day) for (day,) in self._rows("landed_tables", query)]

    def history_days(self) -> list[str]:
        """Return the run dates in history, oldest first, pruned ones too."""
        return [str(day) for (day,) in self._rows("history_days", "select run_date from {} order by run_date")]

    def build_mark(self) -> BuildMark | None:
        """Return the state of the marts, None before the first build."""
        rows = self._rows("build_mark", "select run_date, state, invocation_id from {}")
        return BuildMark(str(rows[0][0]), *rows[0][1:]) if rows else None

    def _rows(self, table: str, query: str, *parameters: str) -> list[tuple]:
        """Return the rows of a query on one `raw_ops` table, none if it doesn't exist yet."""
        with self._asking() as cursor:
            if cursor is None or not self._exists(cursor, OPS, table):
                return []
            cursor.execute(query.format(name_of(OPS, table)), parameters)
            return cursor.fetchall()

    def _exists(self, cursor: Any, schema: str, table: str) -> bool:
        return exists(cursor, schema, table)


def exists(cursor: Any, schema: str, table: str) -> bool:
    """Return whether there is a table."""
    query = "select count(*) from information_schema.tables where table_schema = $1 and table_name = $2"
    cursor.execute(query, [schema, table])
    return cursor.fetchall()[0][0] > 0
