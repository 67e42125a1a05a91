"""Settings: the home, the stores, and the sources' settings, which are read as dlt does, without its import."""

import os
import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ingestion.errors import BadRequest, Refused
from ingestion.libpq import with_libpq_parameters
from ingestion.redact import register_secret


def _find_project() -> Path:
    """Return the checkout that this package is in, else the project that the current folder is in."""
    checkout = Path(__file__).resolve().parents[1]
    if (checkout / "dbt_project.yml").is_file():
        return checkout
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "dbt_project.yml").is_file()), here)


PROJECT = _find_project()
_PEOPLE = "PEOPLE_DATABASE_URL"
_BUCKET = re.compile(r"[\w.-]+")  # without key:secret@


@dataclass(frozen=True)
class Home:
    """The folder that holds everything that runs produce (`TRADEWINDS_HOME`)."""

    root: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """Read `TRADEWINDS_HOME`; the default is `data` in the project."""
        configured = os.environ.get("TRADEWINDS_HOME")
        return cls(Path(configured).expanduser().resolve() if configured else PROJECT / "data")

    @property
    def landing(self) -> str:
        """The path or s3:// URL of landing, as for the other stores."""
        return self._store("TRADEWINDS_LANDING_URL", "landing")

    @property
    def landing_raw(self) -> str | None:
        """The location of `api/_raw` if it isn't in landing's store, else None."""
        return self._store("TRADEWINDS_LANDING_RAW_URL", "") if os.environ.get("TRADEWINDS_LANDING_RAW_URL") else None

    @property
    def published(self) -> str:
        return self._store("TRADEWINDS_PUBLISHED_URL", "published")

    @property
    def exports(self) -> str:
        return self._store("TRADEWINDS_EXPORTS_URL", "exports")

    @property
    def backups(self) -> str:
        return self._store("TRADEWINDS_BACKUPS_URL", "backups")

    @property
    def work(self) -> Path:
        """The folder for files on the way to or from a bucket."""
        return self.root / "work"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    @property
    def pipelines(self) -> Path:
        """The folder in which dlt's commands find the raw schemas of each warehouse, as pipelines."""
        return self.root / "dlt"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def sources(self) -> Path:
        return self.root / "sources"

    def _store(self, variable: str, folder: str) -> str:
        url = os.environ.get(variable)
        if not url:
            return str(self.root / folder)
        parts = urlsplit(url)
        if parts.scheme == "s3":
            return check_bucket_url(variable, url)
        if parts.scheme not in ("", "file"):
            raise BadRequest(f"{variable}: folders, file:// and s3:// URLs are stores here, not {parts.scheme}://")
        return str(Path(parts.path).expanduser().resolve())


def check_bucket_url(named: str, url: str) -> str:
    """Return an s3:// URL unchanged; raises BadRequest, without quoting it, if it has more than a bucket and prefix."""
    parts = urlsplit(url)
    if not _BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
        raise BadRequest(f"{named}: expected s3://bucket/prefix, and keys in FSSPEC_S3_… settings")
    return url


def require_project() -> None:
    """Raise Refused if this command was installed from a wheel and the current folder is in no project."""
    if lacking := [name for name in (".dlt/config.toml", "dbt_project.yml") if not (PROJECT / name).is_file()]:
        raise Refused(f"{PROJECT} is no Tradewinds project: it has no {lacking[0]}; run this in a checkout of one")


def use_project_settings() -> None:
    """Point dlt at the project's `.dlt` folder, whatever the current folder; call before importing dlt."""
    os.environ.setdefault("DLT_PROJECT_DIR", str(PROJECT))
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    # A person's dlt source is read one resource after the other, so that they may share one snapshot.
    os.environ.setdefault("EXTRACT__NEXT_ITEM_MODE", "fifo")


def whole_number(variable: str, default: int, least: int = 1) -> int:
    """Return a variable's whole number; raises BadRequest when it isn't one or is too small."""
    text = os.environ.get(variable) or str(default)
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < least:
        raise BadRequest(f"{variable} must be a whole number from {least}, not {text!r}")
    return int(text)


def source_setting(source: str, name: str, default: Any = None) -> Any:
    """Return one setting of a source, see `source_settings`."""
    return source_settings(source).get(name, default)


def source_settings(source: str) -> dict[str, Any]:
    """Return the settings of a source in dlt's order: environment, `.dlt/secrets.toml`, `.dlt/config.toml`.

    An empty one is unset. A variable may hold a part of a setting: `SOURCES__NORTHWIND__CREDENTIALS__HOST`.
    """
    found = source_entries().get(source, {}) | read_sources("secrets.toml").get(source, {})
    prefix = setting_variable(source, "")
    for variable in sorted(os.environ):  # a whole setting comes before its parts
        if variable.startswith(prefix) and os.environ[variable]:
            *parts, name = variable.removeprefix(prefix).lower().split("__")
            entries = found
            for part in parts:
                whole = entries.get(part)
                # A list of tables stays, under no name, beside what variables say about one of them.
                others = {"": whole} if part == "tables" and whole else {}
                entries[part] = dict(whole) if isinstance(whole, dict) else others
                entries = entries[part]
            entries[name] = os.environ[variable]
    return {name: value for name, value in found.items() if value not in (None, "")}


def source_entries() -> dict[str, dict[str, Any]]:
    """Return what `.dlt/config.toml` has about each source.

    Another DLT_PROJECT_DIR adds some sources and changes some, and hides none. Raises BadRequest when it can't be read.
    """
    merged = read_sources("config.toml", PROJECT)
    if os.environ.get("DLT_PROJECT_DIR", str(PROJECT)) != str(PROJECT):
        configured = read_sources("config.toml")
        merged = {name: merged.get(name, {}) | configured.get(name, {}) for name in merged | configured}
    return {name: entries for name, entries in merged.items() if "kind" in entries}


def read_sources(file: str, project: Path | None = None) -> dict[str, dict[str, Any]]:
    """Return the sections of the sources in a file of `.dlt`; raises BadRequest when it can't be read."""
    path = (project or Path(os.environ.get("DLT_PROJECT_DIR", PROJECT))) / ".dlt" / file
    try:
        sources = _parse(path, path.stat().st_mtime_ns, path.stat().st_size).get("sources", {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadRequest(f"{path} can't be read: {error}") from error
    return {name: entries for name, entries in sources.items() if isinstance(entries, dict)}


@lru_cache
def _parse(path: Path, changed: int, size: int) -> dict[str, Any]:
    """Return a file's content, read again when it has changed."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def source_number(
    source: str, name: str, default: Any = None, *, least: float, most: float | None = None, whole: bool = False
) -> Any:
    """Return a Decimal of a source's settings, None when it is unset; raises BadRequest naming its variable."""
    value = source_setting(source, name, default)
    if value is None:
        return None
    is_number = re.fullmatch(r"[0-9]+" if whole else r"[0-9]+(\.[0-9]+)?(e-?[0-9]{1,3})?", str(value).strip())
    number = Decimal(str(value).strip()) if is_number else Decimal("nan")
    if not is_number or number < least or (most is not None and number > most):
        expected = f"a {'whole ' * whole}number from {least:g}" + ("" if most is None else f" to {most:g}")
        raise BadRequest(f"{setting_variable(source, name)} can't be read: expected {expected}, found {str(value)!r}")
    return number


def setting_variable(source: str, name: str) -> str:
    """Return the variable that holds a setting of a source."""
    return f"SOURCES__{source}__{name}".upper()


def database_url(source: str) -> str | None:
    """Return the configured Postgres URL of a source, None when nothing is configured.

    The setting is one URL or dlt's separate fields (host, username, password, …). Raises BadRequest when it can't be
    read.
    """
    configured = source_setting(source, "credentials")
    return None if configured is None else read_postgres_url(configured, setting_variable(source, "credentials"))


def people_database_url() -> str | None:
    """Return the Postgres URL in `PEOPLE_DATABASE_URL`, None when unset; raises BadRequest when it can't be read."""
    configured = os.environ.get(_PEOPLE)
    return read_postgres_url(configured, _PEOPLE) if configured else None


def read_postgres_url(configured: Any, variable: str) -> str:
    """Return a URL for libpq and register its password as a secret; raises BadRequest naming the variable."""
    from sqlalchemy import URL, make_url

    try:
        is_whole = not isinstance(configured, dict)
        url = make_url(configured) if is_whole else URL.create(**{"drivername": "postgresql"} | configured)
        if not url.drivername.startswith("postgres") or not url.database:
            raise ValueError("not a postgresql:// URL with a database name")
        url = url.set(drivername="postgresql")
        url = with_libpq_parameters(url)
        for secret in (url.password, url.query.get("password")):
            if secret:
                register_secret(str(secret))
        if "connect_timeout" not in url.query:
            url = url.update_query_dict({"connect_timeout": "10"})
    except Exception as error:
        raise BadRequest(f"{variable} can't be read: expected postgresql://user:password@host:port/database") from error
    # libpq accepts a space only as %20, and its errors quote the password otherwise.
    rest, mark, query = url.render_as_string(hide_password=False).partition("?")
    return rest.replace(" ", "%20") + mark + query.replace("+", "%20")
