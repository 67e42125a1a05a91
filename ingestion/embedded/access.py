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
    """Create the database if it is missing; return whether this call created it. Raises psycopg.Error.

    Another session may be creating it, even that of a killed command: the server goes on. This call waits for it.
    """
    find = "select 1 from pg_database where datname = %s"
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute(find, [name]).fetchone():
            return False
        try:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return False
        return True
