"""The password, URLs and databases of a home's server."""

import secrets
from pathlib import Path

import psycopg
from psycopg import sql

from ingestion.embedded import ports
from ingestion.embedded.cluster import SUPERUSER
from ingestion.errors import StepFailed


def ensure_password(state: Path) -> str:
    """Return the superuser's password, generated once and kept in a file that only we can read."""
    path = state / "password"
    if not path.exists():
        unfinished = state / "password.new"
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        unfinished.write_text(secrets.token_urlsafe(24), encoding="ascii")
        unfinished.replace(path)
    return path.read_text(encoding="ascii")


def build_url(state: Path, database: str) -> str:
    """Return the URL of a database; raises StepFailed when the server has never been started."""
    try:
        password = (state / "password").read_text(encoding="ascii")
        port = ports.read(state)
    except FileNotFoundError:
        raise StepFailed(f"embedded Postgres was never started in {state}") from None
    return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/{database}"


def create_database(url: str, name: str) -> bool:
    """Create the database if it is missing; return whether this call created it."""
    find = "select 1 from pg_database where datname = %s"
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            if connection.execute(find, [name]).fetchone():
                return False
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            return True
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise StepFailed(f"embedded Postgres: database {name}: {reason}") from None
