"""Ask what is published: the marts, the columns of one, and one query on them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from ingestion.errors import BadRequest, Refused
from ingestion.sql import literal
from pipeline.dbt.project import Mart, published_marts
from pipeline.publishing import open_publisher
from pipeline.publishing.base import Answer
from pipeline.publishing.limits import Limits
from pipeline.run.request import Request


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
    described = {mart.relation: mart.description for mart in published_marts()}
    return [(name, _grain(described.get(name, ""))) for name in _published(request)]


def describe_mart(request: Request, name: str) -> tuple[Mart, list[tuple[str, str, str]]]:
    """Return a published mart, and the name, type and description of its columns.

    Raises BadRequest unless the name, with or without schema, is that of a published mart.
    """
    found = next((one for one in _published(request) if name in (one, one.partition(".")[2])), None)
    if found is None:
        raise BadRequest(f"no published mart is called {name}", request.whole_command("marts"))
    schema, _, table = found.partition(".")
    named = f"table_schema = {literal(schema)} and table_name = {literal(table)}"
    query = f"select column_name, data_type from information_schema.columns where {named} order by ordinal_position"
    mart = next((mart for mart in published_marts() if mart.relation == found), Mart(found))
    described = {column.name: column.description for column in mart.columns}
    with answering(request, query) as types:
        return mart, [(column, data_type.lower(), described.get(column, "")) for column, data_type in types.rows]


def _grain(description: str) -> str:
    return re.split("[.:] ", description)[0].rstrip(".")


def _published(request: Request) -> list[str]:
    if relations := open_publisher(request.target, request.home).relations():
        return relations
    raise _nothing(request)


def _nothing(request: Request) -> Refused:
    return Refused("nothing is published yet", request.whole_command("run"))
