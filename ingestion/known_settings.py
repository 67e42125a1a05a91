"""The names of all settings, so that a misspelt one is refused instead of ignored."""

import os
import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches

from ingestion.errors import BadRequest
from ingestion.source_settings import source_kinds

_READ = {
    "ALERTS", "BACKUPS_URL", "BACKUP_MAX_BYTES", "ENVIRONMENT", "EXPORTS_URL", "HOME", "ICEBERG_CATALOG",
    "KEPT_VERSIONS", "LANDING_RAW_URL", "LANDING_URL", "MEMORY", "POSTGRES_DATABASE", "POSTGRES_HOST",
    "POSTGRES_PASSWORD", "POSTGRES_PORT", "POSTGRES_USER", "PUBLISHED_URL",
    "READER_PASSWORD", "READER_ROLE", "SPARK_CATALOG", "SPARK_CATALOG_URI", "SPARK_MASTER", "SPARK_PARTITIONS",
    "SPARK_WAREHOUSE", "TARGET", "THREADS",
}  # fmt: skip
# What the image, Airflow's DAGs, the Makefile and the tests read, in an environment that commands share.
_READ_ELSEWHERE = {
    "ALERT_URL", "COMMAND", "DATE_EXAMPLES", "EVERY_PAGE", "EXAMPLES", "FAULTS", "FAULT_TRIAL", "FUZZ_ROWS",
    "KILLS", "PERMUTATIONS", "PIPELINES", "PROVE", "READER_RUNS", "SCHEMA_EXAMPLES",
    "TEST_EVENT_LOG", "TEST_HOMES", "TEST_NORTHWIND", "TEST_PEOPLE", "TEST_QUESTIONS", "WALKS",
}  # fmt: skip
TRADEWINDS_SETTINGS = {f"TRADEWINDS_{name}" for name in _READ | _READ_ELSEWHERE}
_FIELDS = ("drivername", "database", "username", "password", "host", "port", "query")
# A source's settings by its kind; `people` has a variable of its own.
SETTINGS_OF_A_KIND = {
    "postgres": (
        "credentials", *(f"credentials__{name}" for name in _FIELDS), "schema", "tables",
        "exclude_tables", "views",
    ),
    "csv": ("path", "columns", "delimiter"),
    "api": (
        "base_url", "columns", "api_key", "api_key_header", "page_size", "timeout_seconds", "max_attempts",
        "max_wait_seconds", "budget_seconds",
    ),
    "people": (),
}  # fmt: skip
# Of a database's table, in `tables.<table>`.
SETTINGS_OF_A_TABLE = ("cursor", "key", "look_back", "append")
_WITH_TABLES = ("postgres", "people")
_OF_EVERY_SOURCE = ("max_rejected_rows", "max_rejected_share", "kind", "since", "enabled")
_OURS = re.compile(r"(TRADEWINDS_|SOURCES__)", re.IGNORECASE)
# Kubernetes adds these for every service of a namespace, whose name may begin like ours.
_SERVICE_LINK = re.compile(r"(.+?)_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)")


def refuse_unknown_settings(adding: Collection[str] = ()) -> None:
    """Raise BadRequest naming every variable that looks like a setting and is none; `adding` are new sources' names."""
    kinds = source_kinds()
    known = TRADEWINDS_SETTINGS | set(_source_settings(kinds))
    known |= {f"{name}_FILE" for name in known}  # the image's entrypoint reads secrets from files
    free = [f"SOURCES__{name.upper()}__" for name in adding]
    if "dlt" in kinds.values():  # a person's own code, which may have any settings, in sections of any name
        fixed = [name for name, kind in kinds.items() if kind != "dlt"]
        checked = tuple(f"SOURCES__{name.upper()}__" for name in fixed)
    else:
        checked = ("SOURCES__",)
    unknown = [
        name
        for name in sorted(os.environ)
        if _OURS.match(name)
        and name not in known
        and not name.startswith(tuple(free))
        and (not name.startswith("SOURCES__") or name.startswith(checked))
        and "__CREDENTIALS__QUERY__" not in name
        and not name.endswith("_ALERT_URL")
        and not _is_service_link(name)
    ]
    if unknown:
        told = ", ".join(f"{name}{_nearest(name, known)}" for name in unknown)
        raise BadRequest(f"unknown setting {told}: correct it, or remove it", f"unset {' '.join(unknown)}")


def _source_settings(kinds: dict[str, str]) -> Iterator[str]:
    for source, kind in kinds.items():
        for name in (*SETTINGS_OF_A_KIND.get(kind, ()), *_OF_EVERY_SOURCE):
            yield f"SOURCES__{source}__{name}".upper()
        beginning = f"SOURCES__{source}__TABLES__".upper()
        if kind in _WITH_TABLES:
            for table in {name.rpartition("__")[0] for name in os.environ if name.startswith(beginning)}:
                yield from (f"{table}__{name.upper()}" for name in SETTINGS_OF_A_TABLE)


def _is_service_link(name: str) -> bool:
    found = _SERVICE_LINK.fullmatch(name)
    return found is not None and f"{found[1]}_SERVICE_HOST" in os.environ


def _nearest(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.7)
    return f" (did you mean {near[0]}?)" if near else ""
