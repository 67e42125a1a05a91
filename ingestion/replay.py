"""Add mended rejects to a landed day, and change nothing else."""

from dataclasses import dataclass, replace
from uuid import uuid4

from ingestion.errors import StepFailed
from ingestion.extract import drafting
from ingestion.extraction import OnRows
from ingestion.landing import Landing, Manifest, Table
from ingestion.load import refuse_unlanded
from ingestion.session import open_session
from ingestion.settings import Home
from ingestion.sources import Source


@dataclass(frozen=True)
class Replay:
    """A source's landed day before and after; both are the same manifest if no row was added."""

    before: Manifest
    after: Manifest

    @property
    def added(self) -> int:
        """The number of rejected rows that have landed now."""
        return self.after.rows - self.before.rows


def replay_source(source: Source, run_date: str, home: Home, on_rows: OnRows) -> Replay:
    """Read a source again and land its day with the rejects that are valid now; do nothing if there are none.

    Raises Refused unless the day is landed, complete and undamaged, and StepFailed when anything but rejected rows has
    changed. A failure or a kill leaves the landed day unchanged: the extract isn't marked as begun, and the new
    manifest keeps the run id of the day's mark, so that the commit is one rename.
    """
    landing = Landing(home)
    with landing.day_lock(source.name, run_date):
        landing.refuse_pruned(run_date)
        refuse_unlanded([source], run_date, home)
        before = landing.landed_manifest(source.name, run_date)
        if not before.rejected_rows:
            return Replay(before, before)
        with drafting(source, run_date, home, landing, uuid4().hex, on_rows) as draft:
            if changes := describe_changes(landing, before, draft.manifest):
                raise StepFailed(
                    f"more than the rejected rows has changed: {'; '.join(changes)}; to take the source as it is now",
                    f"tradewinds extract --run-date {run_date} --source {source.name}",
                )
            if draft.manifest.rows == before.rows:
                return Replay(before, before)
            draft.manifest = replace(draft.manifest, run_id=before.run_id)
            draft.commit()
            return Replay(before, draft.manifest)


def describe_changes(landing: Landing, before: Manifest, after: Manifest) -> list[str]:
    """Return the differences between two readings of a day, except rejects that became valid."""
    if after.is_sample != before.is_sample:
        return [f"the source was {_kind(before)} and is {_kind(after)}"]
    if set(after.tables) != set(before.tables):
        return [f"the source had the tables {', '.join(before.tables)} and has {', '.join(after.tables)}"]
    found = []
    for name, table in before.tables.items():
        now = after.tables[name]
        if now.columns != table.columns:
            found.append(f"table {name} has other columns")
            continue
        read, read_now = table.rows + table.rejected_rows, now.rows + now.rejected_rows
        if read_now != read:
            found.append(f"table {name} has {read_now:,} rows instead of {read:,}")
        if lost := _count_lost(landing, before, table, now):
            found.append(f"table {name} lacks {lost:,} of the {table.rows:,} landed rows")
    return found


def _count_lost(landing: Landing, day: Manifest, before: Table, after: Table) -> int:
    """Count the rows of one partition that the other lacks; each repetition counts."""
    if after.content_hash == before.content_hash:
        return 0
    with (
        landing.rows(day.source, day.run_date, before) as landed,
        landing.rows(day.source, day.run_date, after) as now,
        open_session() as connection,
    ):
        query = f"select count(*) from (from {landed.relation()} except all from {now.relation()})"
        return connection.execute(query, [*landed.parameters, *now.parameters]).fetchall()[0][0]


def _kind(manifest: Manifest) -> str:
    return "the generated sample" if manifest.is_sample else "a real one"
