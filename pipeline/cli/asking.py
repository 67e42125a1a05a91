"""List and query the published marts, and print the rows on standard output."""

import re

from ingestion.errors import BadRequest, Refused
from ingestion.sql import literal
from pipeline.cli.row_formats import Format, write_values
from pipeline.cli.tables import print_table
from pipeline.dbt.project import describe_marts, find_answer, published_marts
from pipeline.publishing import open_publisher
from pipeline.run.request import Request


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
    described = describe_marts()
    relations = open_publisher(request.target, request.home).relations()
    if not relations:
        raise Refused("nothing is published yet", request.whole_command("run"))
    rows = [(name, re.split("[.:] ", described.get(name, ("",))[0])[0].rstrip(".")) for name in relations]
    _write_described(rows, ("mart", "description"), form, request)


def list_columns(request: Request, name: str, form: Format) -> None:
    """Write a published mart's columns; raises BadRequest unless the name, with or without schema, is that of one."""
    publisher = open_publisher(request.target, request.home)
    found = [relation for relation in publisher.relations() if name in (relation, relation.partition(".")[2])]
    if len(found) != 1:
        raise BadRequest(f"no published mart is called {name}", request.whole_command("marts"))
    schema, _, table = found[0].partition(".")
    columns = f"table_schema = {literal(schema)} and table_name = {literal(table)} order by ordinal_position"
    description, described = describe_marts().get(found[0], ("", {}))
    key = ", ".join(column for mart in published_marts() if mart.relation == found[0] for column in mart.key)
    if form == "table":
        _write_described([(found[0], key, description)], ("mart", "key", "description"), form, request)
        request.reporter.say("")
    with publisher.answering(f"select column_name, data_type from information_schema.columns where {columns}") as types:
        rows = [(column, data_type.lower(), described.get(column, "")) for column, data_type in types.rows]
    _write_described(rows, ("column", "type", "description"), form, request)


def _write_described(rows: list[tuple[str, ...]], columns: tuple[str, ...], form: Format, request: Request) -> None:
    """Write rows with descriptions, which a table has whole."""
    if form == "table":
        print_table(rows, columns, request.reporter.console, longest=1000)
    else:
        write_values(rows, columns, form, None, request.reporter)
