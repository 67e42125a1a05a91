"""The sources in `.dlt/config.toml`: each `[sources.<name>]` with a `kind`.

Those with `sample` come with the project, and are their generated sample until they have a place.
"""

import os
import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ingestion.errors import BadRequest
from ingestion.settings import read_sources, setting_variable, source_entries, source_settings

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# Each kind's setting that holds its place; the kind's class reads the other settings.
_PLACES = {"csv": "path", "postgres": "credentials", "dlt": "resource", "api": "base_url"}
_SECRET_VARIABLE = re.compile(r"SOURCES__.*(KEY|SECRET|PASSWORD|TOKEN|CREDENTIALS)")
# Redacting shorter texts would hide ordinary words.
_SECRET_LENGTH = 6
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class SourceSettings:
    """A source's settings: it is part of a day from `since` on if it is enabled and has a place or a sample.

    `entries` are all of its settings, including secrets, so they are never shown.
    """

    name: str
    kind: str
    entries: dict[str, Any] = field(repr=False)
    since: date | None
    enabled: bool

    @property
    def has_sample(self) -> bool:
        """Whether it comes with the project, and is read from its generated sample while it has no place."""
        return bool(self.entries.get("sample"))

    @property
    def raw_schema(self) -> str:
        return self.entries.get("raw_schema", f"raw_{self.name}")

    @property
    def section(self) -> str:
        """Where the settings are, for messages."""
        return settings_section(self.name)

    @property
    def is_there(self) -> bool:
        """Whether it is part of any day."""
        return self.enabled and (self.has_sample or _PLACES[self.kind] in self.entries)

    @property
    def is_on_all_days(self) -> bool:
        """Whether it is part of every day."""
        return self.is_there and self.since is None

    def exists_on(self, run_date: str) -> bool:
        """Return whether it is part of a day."""
        return self.is_there and (self.since is None or self.since.isoformat() <= run_date)


def is_source_name(name: str) -> bool:
    """Return whether a source may have this name, which its schema, folder, models and settings share."""
    return len(name) <= 40 and _NAME.fullmatch(name) is not None


def source_kinds() -> dict[str, str]:
    """Return the kind of every source by name, unchecked."""
    return {name: str(entries["kind"]) for name, entries in source_entries().items()}


def built_in_sources() -> list[str]:
    """Return the names of the sources that come with the project."""
    return [name for name, entries in source_entries().items() if entries.get("sample")]


def secret_texts() -> list[str]:
    """Return the possible secrets of sources: texts in `.dlt/secrets.toml`, and variables named like secrets."""
    found: list[Any] = [read_sources("secrets.toml")]
    found += [value for variable, value in os.environ.items() if _SECRET_VARIABLE.match(variable)]
    texts: list[str] = []
    while found:
        value = found.pop()
        found += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        texts += [value] if isinstance(value, str) and len(value) >= _SECRET_LENGTH else []
    return texts


def settings_section(name: str) -> str:
    """Return where the settings of a source are, for messages."""
    return f"[sources.{name}] in .dlt/config.toml"


def read_source_settings(name: str) -> SourceSettings:
    """Return the settings of a source; raises BadRequest when they can't be read."""
    section, entries = settings_section(name), source_settings(name)
    if not is_source_name(name):
        raise BadRequest(f"{section}: a source's name is lower-case letters, digits and single underscores")
    kind = source_entries()[name]["kind"]
    if kind not in _PLACES and not entries.get("sample"):
        raise BadRequest(f"{section}: unknown kind {kind!r}; the kinds are {', '.join(_PLACES)}")
    since, enabled = (_where(name, entry) for entry in ("since", "enabled"))
    found = SourceSettings(
        name, kind, entries, _read_day(since, entries.get("since")), _read_truth(enabled, entries.get("enabled"))
    )
    if not found.is_on_all_days and found.has_sample:
        schemas = [other.get("raw_schema", f"raw_{one}") for one, other in source_entries().items()]
        # dbt knows the days of a schema, and its empty tables need columns.
        if "columns" not in entries or schemas.count(found.raw_schema) > 1:
            reason = f"the project's models need {name} on every day, so it can't be left out"
            raise BadRequest(f"{setting_variable(name, 'enabled')}, or since: {reason}")
    return found


def _where(name: str, entry: str) -> str:
    """Return where a source's setting is: its variable, or its section."""
    variable = setting_variable(name, entry)
    return variable if os.environ.get(variable) else settings_section(name)


def _read_day(where: str, value: Any) -> date | None:
    try:
        return value if value is None or type(value) is date else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadRequest(f"{where}: expected a day such as 2021-01-02 as since, not {value}") from None


def _read_truth(where: str, value: Any) -> bool:
    found = True if value is None else _TRUTH.get(str(value).lower())
    if found is None:
        raise BadRequest(f"{where}: expected true or false as enabled, not {value}")
    return found
