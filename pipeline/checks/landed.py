"""Find the raw tables that arrived on a day, and the earlier day to compare each with."""

from dataclasses import dataclass

from sqlalchemy import Engine, text

from ingestion.warehouse.base import OPS


@dataclass(frozen=True)
class Arrival:
    """A raw table on the run date, and on the latest comparable earlier day, None if there is none."""

    schema: str
    table: str
    rows: int
    day_before: str | None
    rows_before: int | None

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"


def read_arrivals(engine: Engine, run_date: str, sources: list[str]) -> list[Arrival]:
    """Return the raw tables that the sources delivered on a day, sorted by name."""
    query = text(f"select * from {OPS}.landed_tables where run_date <= cast(:run_date as date) order by run_date")
    with engine.connect() as connection:
        days = [dict(row) for row in connection.execute(query, {"run_date": run_date}).mappings()]
    arrivals = []
    for today in days:
        if str(today["run_date"]) != run_date or today["source"] not in sources:
            continue
        earlier = [day for day in days if day["run_date"] < today["run_date"] and _is_comparable(day, today)]
        before = earlier[-1] if earlier else {}
        arrivals.append(
            Arrival(
                schema=today["raw_schema"],
                table=today["table_name"],
                rows=today["row_count"],
                day_before=str(before["run_date"]) if before else None,
                rows_before=before.get("row_count"),
            )
        )
    return sorted(arrivals, key=lambda arrival: arrival.name)


def _is_comparable(one: dict, other: dict) -> bool:
    """Return whether two days of a table come from the same kind of source: both from a sample, or neither."""
    same_table = (one["raw_schema"], one["table_name"]) == (other["raw_schema"], other["table_name"])
    # A day without the kind, from before `is_sample` existed, is comparable with both.
    kinds = {day.get("is_sample") for day in (one, other)} - {None}
    return same_table and len(kinds) <= 1
