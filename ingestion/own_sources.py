"""The sources defined by settings alone: `[sources.<name>]` with a `kind` in `.dlt/config.toml`.

They are read without dlt, because its import takes too long for commands that only need the sources of a day.
"""

import os
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ingestion.errors import BadRequest
from ingestion.settings import PROJECT

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_KINDS = ("csv",)
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class OwnSettings:
    """A source's settings: it is part of a day from `since` on if it has a path and is enabled."""

    name: str
    kind: str
    delimiter: str
    columns: dict[str, str]
    path: str | None
    since: date | None
    enabled: bool

    @property
    def raw_schema(self) -> str:
        return f"raw_{self.name}"

    @property
    def is_there(self) -> bool:
        """Return whether it is part of any day."""
        return self.enabled and bool(self.path)

    def exists_on(self, run_date: str) -> bool:
        """Return whether it is part of a day."""
        return self.is_there and (self.since is None or self.since.isoformat() <= run_date)


def is_source_name(name: str) -> bool:
    """Return whether a source may have this name, which its schema, folder, models and settings share."""
    return len(name) <= 40 and _NAME.fullmatch(name) is not None


def own_names() -> list[str]:
    """Return the names of these sources."""
    return [name for name, entries in _read("config.toml").items() if "kind" in entries]


def read_own_settings() -> list[OwnSettings]:
    """Return the settings of these sources; raises BadRequest when one can't be read."""
    secrets = _read("secrets.toml")
    return [
        _describe(name, entries | secrets.get(name, {}))
        for name, entries in _read("config.toml").items()
        if "kind" in entries
    ]


def _read(file: str) -> dict[str, dict[str, Any]]:
    path = Path(os.environ.get("DLT_PROJECT_DIR", PROJECT)) / ".dlt" / file
    try:
        sources = tomllib.loads(path.read_text(encoding="utf-8")).get("sources", {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadRequest(f"{path} can't be read: {error}") from error
    return {name: entries for name, entries in sources.items() if isinstance(entries, dict)}


def _describe(name: str, entries: dict[str, Any]) -> OwnSettings:
    place = f"[sources.{name}] in .dlt/config.toml"
    if not is_source_name(name):
        raise BadRequest(f"{place}: a source's name is lower-case letters, digits and single underscores")
    for entry in ("path", "since", "enabled"):
        entries[entry] = os.environ.get(f"SOURCES__{name.upper()}__{entry.upper()}", entries.get(entry))
    if entries["kind"] not in _KINDS:
        raise BadRequest(f"{place}: unknown kind {entries['kind']!r}; the kinds are {', '.join(_KINDS)}")
    columns, delimiter = entries.get("columns"), entries.get("delimiter", ",")
    if not isinstance(columns, dict) or not columns or not all(isinstance(type_, str) for type_ in columns.values()):
        raise BadRequest(f"{place}: expected columns, each with its DuckDB type")
    if not isinstance(delimiter, str) or len(delimiter) != 1:
        raise BadRequest(f"{place}: expected one character as delimiter")
    return OwnSettings(
        name=name,
        kind=entries["kind"],
        delimiter=delimiter,
        columns=columns,
        path=entries["path"] or None,
        since=_read_day(place, entries["since"]),
        enabled=_read_truth(place, entries["enabled"]),
    )


def _read_day(place: str, value: Any) -> date | None:
    try:
        return value if value is None or type(value) is date else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadRequest(f"{place}: expected a day such as 2021-01-02 as since, not {value}") from None


def _read_truth(place: str, value: Any) -> bool:
    found = True if value is None else _TRUTH.get(str(value).lower())
    if found is None:
        raise BadRequest(f"{place}: expected true or false as enabled, not {value}")
    return found
