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
        columns = "run_date::text, source, string_agg(distinct run_id, ',' order by run_id)"
        query = f"select {columns} from {{}} where run_date {compared} {DAY} group by run_date, source"
        loaded: dict[str, dict[str, str]] = {}
        for day, source, run in self._rows("landed_tables", query, run_date):
            loaded.setdefault(day, {})[source] = run
        return loaded

    def has_source_days(self) -> bool:
        """Return whether `raw_ops.source_days` has rows."""
        return bool(self._rows("source_days", "select 1 from {} limit 1"))

    def loaded_days(self) -> list[str]:
        """Return the loaded days, oldest first."""
        query = "select distinct run_date::text from {} order by 1"
        return [day for (day,) in self._rows("landed_tables", query)]

    def history_days(self) -> list[str]:
        """Return the run dates in history, oldest first, pruned ones too."""
        return [day for (day,) in self._rows("history_days", "select run_date::text from {} order by run_date")]

    def build_mark(self) -> BuildMark | None:
        """Return the state of the marts, None before the first build."""
        rows = self._rows("build_mark", "select run_date::text, state, invocation_id from {}")
        return BuildMark(*rows[0]) if rows else None

    def _rows(self, table: str, query: str, *parameters: str) -> list[tuple]:
        """Return the rows of a query on one `raw_ops` table, none if it doesn't exist yet."""
        with self._asking() as cursor:
            if cursor is None or not exists(cursor, OPS, table):
                return []
            cursor.execute(query.format(name_of(OPS, table)), parameters)
            return cursor.fetchall()


def exists(cursor: Any, schema: str, table: str) -> bool:
    """Return whether there is a table."""
    query = "select count(*) from information_schema.tables where table_schema = $1 and table_name = $2"
    cursor.execute(query, [schema, table])
    return cursor.fetchall()[0][0] > 0
