"""Query the published marts, and print the rows on standard output."""

from ingestion.errors import BadRequest, Refused
from pipeline.cli.row_formats import Format, write_values
from pipeline.dbt.project import find_answer
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
