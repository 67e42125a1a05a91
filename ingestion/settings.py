"""Settings: the home, the stores and dlt's source settings."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ingestion.errors import BadRequest
from ingestion.libpq import with_libpq_parameters
from ingestion.redact import register_secret

PROJECT = Path(__file__).resolve().parents[1]
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


def use_project_settings() -> None:
    """Point dlt at the project's `.dlt` folder, whatever the current folder; call before importing dlt."""
    os.environ.setdefault("DLT_PROJECT_DIR", str(PROJECT))
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    # One table after the other: they share one connection, and so one snapshot of the source.
    os.environ.setdefault("EXTRACT__NEXT_ITEM_MODE", "fifo")


def whole_number(variable: str, default: int, least: int = 1) -> int:
    """Return a variable's whole number; raises BadRequest when it isn't one or is too small."""
    text = os.environ.get(variable) or str(default)
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < least:
        raise BadRequest(f"{variable} must be a whole number from {least}, not {text!r}")
    return int(text)


def source_setting(source: str, name: str, default: Any = None) -> Any:
    """Return one setting of a source in dlt's order: environment, `.dlt/secrets.toml`, `.dlt/config.toml`.

    An empty one is unset.
    """
    use_project_settings()
    import dlt

    value: Any = dlt.secrets.get(f"sources.{source}.{name}")
    if value is None:
        value = dlt.config.get(f"sources.{source}.{name}")
    if value is None:  # another DLT_PROJECT_DIR doesn't hide the project's settings
        from ingestion.own_sources import source_entries

        value = source_entries().get(source, {}).get(name)
    return default if value is None or value == "" else value


def source_names(source: str, name: str) -> list[str] | None:
    """Return a setting that lists names, None when it is unset; raises BadRequest when it is anything else."""
    value = source_setting(source, name)
    try:
        names = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        names = value
    if names is None or (isinstance(names, list) and all(isinstance(one, str) for one in names)):
        return names
    variable = setting_variable(source, name)
    raise BadRequest(f'{variable} can\'t be read: expected a JSON list of names such as ["a", "b"], found {value!r}')


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
    use_project_settings()
    from dlt.common.configuration.specs import ConnectionStringCredentials

    try:
        credentials = ConnectionStringCredentials(configured)
        given: Any = credentials.to_url().set(drivername="postgresql")
        if not credentials.drivername.startswith("postgres") or not given.database:
            raise ValueError("not a postgresql:// URL with a database name")
        url = with_libpq_parameters(given)
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
