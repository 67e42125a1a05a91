"""Hashes of landed rows from one algorithm to the next: the same rows of a day keep the hash that is known for them."""

from contextlib import suppress
from dataclasses import replace

from ingestion.digest import content_hash, is_comparable
from ingestion.errors import StepFailed
from ingestion.landing.manifest import Manifest, Table
from ingestion.landing.store import Landing


def keep_hashes(landing: Landing, source: str, run_date: str, landed: dict[str, Table]) -> dict[str, Table]:
    """Return the tables; where another algorithm has hashed the same rows of the day in landing, with that hash.

    The earlier files are hashed anew to know. So raw, history and the ledger, which go by the hash, see a difference
    only where there is one.
    """
    before = None
    with suppress(StepFailed):  # a manifest that can't be read is replaced
        before = landing.manifest(source, run_date)
    kept = {}
    for name, table in landed.items():
        was = before and before.tables.get(name)
        is_other = was and was.columns == table.columns and not is_comparable(was.content_hash)
        is_same = is_other and _hash_anew(landing, before, was) == table.content_hash
        kept[name] = replace(table, content_hash=was.content_hash) if is_same else table
    return kept


def _hash_anew(landing: Landing, day: Manifest, table: Table) -> str | None:
    """Return today's hash of a table's files, None when they are missing or damaged."""
    with suppress(StepFailed), landing.local(day.source, day.run_date, table.files) as paths:
        return content_hash(paths, [column.name for column in table.columns])
    return None
