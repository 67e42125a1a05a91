"""Keep the hashes of unchanged rows when the hash algorithm changes."""

from contextlib import suppress
from dataclasses import replace

from ingestion.digest import digest_files, is_comparable
from ingestion.errors import StepFailed
from ingestion.landing.manifest import Table
from ingestion.landing.store import Landing


def keep_hashes(landing: Landing, source: str, run_date: str, landed: dict[str, Table]) -> dict[str, Table]:
    """Return the tables, with the earlier hash where another algorithm hashed the same rows of the landed day.

    The earlier files are hashed again to compare. Raw, history and the ledger compare hashes, so they see a difference
    only when rows differ.
    """
    before: dict[str, Table] = {}
    with suppress(StepFailed):  # a manifest that can't be read is replaced
        if manifest := landing.manifest(source, run_date):
            before = manifest.tables
    kept = {}
    for name, table in landed.items():
        was = before.get(name)
        is_other = was is not None and was.columns == table.columns and not is_comparable(was.content_hash)
        if was and is_other and _hash_anew(landing, source, run_date, was) == table.content_hash:
            table = replace(table, content_hash=was.content_hash)
        kept[name] = table
    return kept


def _hash_anew(landing: Landing, source: str, run_date: str, table: Table) -> str | None:
    """Return the current algorithm's hash of a table's files, None when they are missing or damaged."""
    with suppress(StepFailed), landing.local(source, run_date, table.files) as paths:
        return digest_files(paths, [column.name for column in table.columns]).content_hash
    return None
