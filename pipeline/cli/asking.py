"""List and query the published marts, and print the rows on standard output."""

import re

from ingestion.errors import BadRequest, Refused
from ingestion.sql import literal
from pipeline.cli.row_formats import Format, write_values
from pipeline.cli.tables import print_table
from pipeline.dbt.project import Mart, find_answer, published_marts
from pipeline.publishing import open_publisher
from pipeline.run.request import Request

_DESCRIPTION = 1000


def ask(request: Request, statement: str, form: Format, limit: int | None) -> None:
    """Write the rows of one query on the published marts; raises Refused before the first publish."""
    if not statement.strip():
        raise BadRequest('an empty query; try: tradewinds query "select * from ops.dim_run_dates"')
    answering = open_publisher(request.target, request.home).answering(statement)
    with answering as answer:
        if answer is None:
            raise Refused("nothing is published yet", request.whole_command("run"))
        write_values(answer.rows, answer.columns, form, limit, request.reporter)


def ask_answer(request: Request, form: Format, limit: int | None) -> None:
    """Write the first rows of the answer; raises BadRequest when no export is marked as it."""
    answer = find_answer()
    if answer is None:
        raise BadRequest("no export in models/exports has an entry `answer`", "tradewinds query SQL")
    columns = ", ".join(answer.answer) if form == "table" else "*"
    ask(request, f"select {columns} from {answer.relation} order by {', '.join(answer.order_by)}", form, limit)


def list_marts(request: Request, form: Format) -> None:
    """Write the published marts, each with the sentence that says what a row is."""
    relations, described = _published(request), {mart.relation: mart.description for mart in published_marts()}
    rows = [(name, re.split("[.:] ", described.get(name, ""))[0].rstrip(".")) for name in relations]
    write_values(rows, ("mart", "description"), form, len(rows), request.reporter, longest=_DESCRIPTION)
    if form == "table":
        from pipeline.site.dictionary import DICTIONARY_PAGE

        page = request.home.root / "reports" / DICTIONARY_PAGE
        request.reporter.say("")
        request.reporter.say(f"the data dictionary   {page if page.exists() else request.whole_command('docs')}")


def list_columns(request: Request, name: str, form: Format) -> None:
    """Write a published mart's columns; raises BadRequest unless the name, with or without schema, is that of one."""
    found = next((one for one in _published(request) if name in (one, one.partition(".")[2])), None)
    if found is None:
        raise BadRequest(f"no published mart is called {name}", request.whole_command("marts"))
    schema, _, table = found.partition(".")
    named = f"table_schema = {literal(schema)} and table_name = {literal(table)}"
    query = f"select column_name, data_type from information_schema.columns where {named} order by ordinal_position"
    mart = next((mart for mart in published_marts() if mart.relation == found), Mart(found))
    described = {column.name: column.description for column in mart.columns}
    if form == "table":
        told = (found, ", ".join(mart.key), mart.description)
        print_table([told], ("mart", "key", "description"), request.reporter.console, _DESCRIPTION)
        request.reporter.say("")
    with open_publisher(request.target, request.home).answering(query) as types:
        found_types = types.rows if types else []
        rows = [(column, data_type.lower(), described.get(column, "")) for column, data_type in found_types]
    columns = ("column", "type", "description")
    write_values(rows, columns, form, len(rows), request.reporter, longest=_DESCRIPTION)


def _published(request: Request) -> list[str]:
    """Return the published relations; raises Refused before the first publish."""
    if relations := open_publisher(request.target, request.home).relations():
        return relations
    raise Refused("nothing is published yet", request.whole_command("run"))
