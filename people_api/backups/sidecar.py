"""A backup's place and name, and its sidecar: a JSON file, written last, which commits the backup."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from ingestion.settings import Home
from ingestion.stores import Store, open_store
from people_api.backups.limits import Damaged
from people_api.backups.schemas import SCHEMAS, check_table

SUFFIX = ".json"  # appended to the Avro file's full name
_TIME = "%Y%m%dT%H%M%S%fZ"
_NAME = re.compile(r"(?P<table>[a-z_]+)-\d{8}T\d{12}Z-[0-9a-f]{12}\.avro")


@dataclass(frozen=True)
class Backup:
    """A backup of one table, as described by its sidecar."""

    table: str
    name: str
    location: str  # the full path or URL, without secrets
    rows: int
    sha256: str
    taken_at: datetime  # by the database's clock, UTC


def folder_of(table: str, root: str) -> Store:
    """Return a table's folder; raises BadRequest when there are no backups of it, or `root` isn't a usable location."""
    check_table(table)
    return open_store(f"{root.rstrip('/')}/{table}", Home.from_environment().work)


def name_backup(table: str, taken_at: datetime, sha256: str) -> str:
    """Return the file's name; a table's names sort by time."""
    return f"{table}-{taken_at.astimezone(UTC).strftime(_TIME)}-{sha256[:12]}.avro"


def is_name(table: str, name: str) -> bool:
    """Return whether a backup of the table may have this name: not a path, not another table's."""
    match = _NAME.fullmatch(name)
    return match is not None and match["table"] == table


def write_sidecar(backup: Backup) -> str:
    """Return the sidecar's text."""
    said = {
        "table": backup.table,
        "rows": backup.rows,
        "sha256": backup.sha256,
        "taken_at": backup.taken_at.isoformat(),
        "schema": SCHEMAS[backup.table],
    }
    return json.dumps(said, indent=2) + "\n"


def read_sidecar(text: bytes, table: str, name: str, location: str) -> Backup:
    """Parse a sidecar; raises Damaged when it isn't one of this table."""
    try:
        said = json.loads(text)
        rows, sha256 = said["rows"], said["sha256"]
        taken_at = datetime.fromisoformat(said["taken_at"])
        is_ours = (said["table"], said["schema"]) == (table, SCHEMAS[table])
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise Damaged("its sidecar can't be read") from error
    if not is_ours:
        raise Damaged(f"its sidecar isn't one of {table}")
    if type(rows) is not int or not 0 <= rows < 2**63 or not isinstance(sha256, str) or taken_at.tzinfo is None:
        raise Damaged("its sidecar can't be read")
    return Backup(table, name, location, rows, sha256, taken_at)
