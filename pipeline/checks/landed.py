"""Find the raw tables that arrived on a day, and the earlier day to compare each with."""

from dataclasses import dataclass

from sqlalchemy import Engine, text

from ingestion.warehouse import OPS


@dataclass(frozen=True)
class Arrival:
    """A raw table on the run date, and on the latest comparable earlier day, None if there is none."""

    name: str
    source: str
    rows: int
    day_before: str | None
    rows_before: int | None


def read_arrivals(engine: Engine, run_date: str) -> list[Arrival]:
    """Return the raw tables that arrived on a day, sorted by name."""
    query = text(f"select * from {OPS}.landed_tables where run_date <= cast(:run_date as date) order by run_date")
    tables: dict[str, list[dict]] = {}
    with engine.connect() as connection:
        for day in connection.execute(query, {"run_date": run_date}).mappings():
            tables.setdefault(f"{day['raw_schema']}.{day['table_name']}", []).append(dict(day))
    return [
        _arrival(name, today, earlier)
        for name, (*earlier, today) in sorted(tables.items())
        if str(today["run_date"]) == run_date
    ]


def _arrival(name: str, today: dict, earlier: list[dict]) -> Arrival:
    before = next((day for day in reversed(earlier) if _is_comparable(day, today)), {})
    return Arrival(
        name=name,
        source=today["source"],
        rows=today["row_count"],
        day_before=str(before["run_date"]) if before else None,
        rows_before=before.get("row_count"),
    )


def _is_comparable(one: dict, other: dict) -> bool:
    """Return whether two days of a table come from the same kind of source: both from a sample, or neither."""
    # A day without the kind, from before `is_sample` existed, is comparable with both.
    return len({day.get("is_sample") for day in (one, other)} - {None}) <= 1
