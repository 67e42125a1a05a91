"""Ask what is published: the marts, the columns of one, and one query on them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ingestion.errors import BadRequest, Refused
from ingestion.sql import literal
from pipeline.dbt.project import describe_marts, published_marts
from pipeline.publishing import open_publisher
from pipeline.publishing.base import Answer
from pipeline.publishing.limits import Limits
from pipeline.run.request import Request


@dataclass(frozen=True)
class Described:
    """A published mart, its key and description, and for each column its type and description."""

    relation: str
    key: tuple[str, ...]
    description: str
    columns: list[tuple[str, str, str]]


@contextmanager
def answering(request: Request, statement: str, limits: Limits | None = None) -> Iterator[Answer]:
    """Open the rows of one query on the published marts; raises as `Publisher.answering`, and Refused before any."""
    if not statement.strip():
        raise BadRequest('an empty query; try: tradewinds query "select * from ops.dim_run_dates"')
    with open_publisher(request.target, request.home).answering(statement, limits) as answer:
        if answer is None:
            raise _nothing(request)
        yield answer


def list_marts(request: Request) -> list[tuple[str, str]]:
    """Return every published mart and the sentence that says what a row is; raises Refused before the first publish."""
    described = describe_marts()
    return [(name, _grain(described[name][0]) if name in described else "") for name in _published(request)]


def describe_mart(request: Request, name: str) -> Described:
    """Describe a published mart; raises BadRequest unless the name, with or without schema, is that of one."""
    found = next((one for one in _published(request) if name in (one, one.partition(".")[2])), None)
    if found is None:
        raise BadRequest(f"no published mart is called {name}", request.whole_command("marts"))
    schema, _, table = found.partition(".")
    named = f"table_schema = {literal(schema)} and table_name = {literal(table)}"
    query = f"select column_name, data_type from information_schema.columns where {named} order by ordinal_position"
    description, described = describe_marts().get(found, ("", {}))
    with answering(request, query) as types:
        columns = [(column, data_type.lower(), described.get(column, "")) for column, data_type in types.rows]
    key = next((mart.key for mart in published_marts() if mart.relation == found), ())
    return Described(found, key, description, columns)


def _grain(description: str) -> str:
    return re.split("[.:] ", description)[0].rstrip(".")


def _published(request: Request) -> list[str]:
    if relations := open_publisher(request.target, request.home).relations():
        return relations
    raise _nothing(request)


def _nothing(request: Request) -> Refused:
    return Refused("nothing is published yet", request.whole_command("run"))
