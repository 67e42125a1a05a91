"""Print the published marts, and the rows of queries on them, on standard output."""

from ingestion.errors import BadRequest
from pipeline.cli.row_formats import Format, write_values
from pipeline.cli.tables import print_table
from pipeline.dbt.project import find_answer
from pipeline.run.asking import answering, describe_mart, list_marts
from pipeline.run.request import Request

_DESCRIPTION = 1000


def ask(request: Request, statement: str, form: Format, limit: int | None) -> None:
    """Write the rows of one query on the published marts; raises Refused before the first publish."""
    with answering(request, statement) as answer:
        write_values(answer.rows, answer.columns, form, limit, request.reporter)


def ask_answer(request: Request, form: Format, limit: int | None) -> None:
    """Write the first rows of the answer; raises BadRequest when no export is marked as it."""
    answer = find_answer()
    if answer is None:
        raise BadRequest("no export in models/exports has an entry `answer`", "tradewinds query SQL")
    columns = ", ".join(answer.answer) if form == "table" else "*"
    ask(request, f"select {columns} from {answer.relation} order by {', '.join(answer.order_by)}", form, limit)


def show_marts(request: Request, form: Format) -> None:
    """Write the published marts, each with the sentence that says what a row is."""
    rows = list_marts(request)
    write_values(rows, ("mart", "description"), form, len(rows), request.reporter, longest=_DESCRIPTION)
    if form == "table":
        from pipeline.site.dictionary import DICTIONARY_PAGE

        page = request.home.root / "reports" / DICTIONARY_PAGE
        request.reporter.say("")
        request.reporter.say(f"the data dictionary   {page if page.exists() else request.whole_command('docs')}")


def show_columns(request: Request, name: str, form: Format) -> None:
    """Write a published mart's columns; raises BadRequest unless the name, with or without schema, is that of one."""
    mart, columns = describe_mart(request, name)
    if form == "table":
        head = (mart.relation, ", ".join(mart.key), mart.description)
        print_table([head], ("mart", "key", "description"), request.reporter.console, _DESCRIPTION)
        request.reporter.say("")
    write_values(columns, ("column", "type", "description"), form, len(columns), request.reporter, longest=_DESCRIPTION)
