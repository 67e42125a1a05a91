"""The readers' role on Postgres, which may only read the published marts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import psycopg
from psycopg import errors

from ingestion.environment import environment_suffix
from ingestion.errors import BadRequest, Refused, StepFailed
from ingestion.redact import one_line, register_secret
from ingestion.sql import quote
from ingestion.warehouse.postgres import warehouse_url
from pipeline.dbt.project import Mart
from pipeline.publishing import postgres_copies as copies
from pipeline.publishing.base import ONE_QUERY, Answer
from pipeline.publishing.limits import Limits

_ROLE = "TRADEWINDS_READER_ROLE"
_LOGIN = "TRADEWINDS_READER_PASSWORD"
# 42: unknown name, syntax error or missing right; 25006: the query writes; 0A000: it can't be a cursor.
_REQUEST_IS_WRONG = (errors.ProgrammingError, errors.ReadOnlySqlTransaction, errors.FeatureNotSupported)


def reader_role() -> str:
    """Return the name of the readers' role."""
    return os.environ.get(_ROLE) or f"tradewinds_reader{environment_suffix()}"


def ensure_reader(connection: psycopg.Connection) -> None:
    """Create the readers' role if it is missing and we may; a configured password lets it log in.

    Raises BadRequest when the role is the warehouse's own user, because we must not change that password.
    """
    role, password = reader_role(), os.environ.get(_LOGIN)
    if role == connection.info.user:
        raise BadRequest(f"{_ROLE} must not be the user that writes the warehouse, {role}")
    if not _exists(connection, role):
        # Without the right to create roles, publishing goes on; the database's administrator creates the role.
        with suppress(errors.InsufficientPrivilege, errors.DuplicateObject, errors.UniqueViolation):
            connection.execute(f"create role {quote(role)} nologin")
            connection.execute(f"alter role {quote(role)} set default_transaction_read_only = on")
            connection.execute(f"grant {quote(role)} to current_user")
    if password:
        register_secret(password)
        # Encrypted here, because the server may log statements.
        secret = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        connection.execute(f"alter role {quote(role)} login password '{secret}'")


def grant_reading(connection: psycopg.Connection, marts: list[Mart], version_table: str) -> None:
    """Grant the readers' role these marts, in the transaction that publishes them."""
    role = reader_role()
    if not _exists(connection, role):
        return
    for schema in sorted({mart.place[0] for mart in marts}):
        connection.execute(f"grant usage on schema {quote(schema)} to {quote(role)}")
    tables = ", ".join([version_table, *(copies.name(mart.place) for mart in marts)])
    connection.execute(f"grant select on {tables} to {quote(role)}")


@contextmanager
def answering(statement: str, limits: Limits | None = None) -> Iterator[Answer]:
    """Open a query's rows as the readers' role, with its own login if it has a password.

    Raises BadRequest when it isn't one query or exceeds a reader's rights, Refused when the role doesn't exist, or when
    a query with limits would run in a session that may leave the role again.
    """
    role, password = reader_role(), os.environ.get(_LOGIN)
    login: dict[str, Any] = {"user": role, "password": password} if password else {}
    if limits and not login:
        reason = f"agents need the readers' own login on Postgres, and {_LOGIN} isn't set"
        raise Refused(reason, f"export {_LOGIN}=…; tradewinds publish --target postgres")
    try:
        with (
            psycopg.connect(warehouse_url(), **login) as connection,
            limits.stopping(connection.cancel_safe) if limits else nullcontext(),
        ):
            connection.execute("set transaction isolation level repeatable read, read only")
            if limits:
                connection.execute(f"set local statement_timeout = {int(limits.seconds * 1000)}")
            if not login:
                _take_on(connection, role)
            # A server-side cursor: rows arrive as they are fetched, and it accepts only one query.
            with connection.cursor(name="answer") as cursor:
                cursor.itersize = 1 if limits else cursor.itersize  # one row may hold a gigabyte
                cursor.execute(statement)
                yield Answer([column.name for column in cursor.description or ()], iter(cursor))
    except errors.QueryCanceled as error:
        raise StepFailed(limits.overrun if limits else f"the query failed: {_reason(error)}") from error
    except errors.SyntaxError as error:
        raise BadRequest(f"the query can't be answered: {_reason(error)}; {ONE_QUERY}") from error
    except _REQUEST_IS_WRONG as error:
        raise BadRequest(f"the query can't be answered: {_reason(error)}") from error
    except psycopg.Error as error:
        raise StepFailed(f"the query failed: {_reason(error)}") from error


def _take_on(connection: psycopg.Connection, role: str) -> None:
    try:
        connection.execute(f"set local role {quote(role)}")
    except (errors.InvalidParameterValue, errors.InsufficientPrivilege) as error:
        raise Refused(
            f"the readers' role {role} is missing, or may not be taken on by {connection.info.user}",
            f"create role {quote(role)}; grant {quote(role)} to {quote(connection.info.user)}; tradewinds publish",
        ) from error


def _exists(connection: psycopg.Connection, role: str) -> bool:
    return connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone() is not None


def _reason(error: psycopg.Error) -> str:
    return one_line(Exception(error.diag.message_primary or str(error)))
