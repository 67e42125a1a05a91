"""Query the published marts, and print the rows on standard output."""

from ingestion.errors import BadRequest, Refused
from pipeline.cli.row_formats import Format, write_values
from pipeline.publishing import open_publisher
from pipeline.run.request import Request

ANSWER = "sales.orders_with_details"
# As many columns as fit on a terminal.
ANSWER_SHOWN = ("order_id", "ordered_date", "company_name", "product_name", "quantity", "net_amount_usd")


def ask(request: Request, statement: str, form: Format, limit: int | None) -> None:
    """Write the rows of one query on the published marts; raises Refused before the first publish."""
    if not statement.strip():
        raise BadRequest('an empty query; try: tradewinds query "select * from sales.fct_orders"')
    answering = open_publisher(request.target, request.home).answering(statement)
    with answering as answer:
        if answer is None:
            raise Refused("nothing is published yet", request.whole_command("run"))
        write_values(answer.rows, answer.columns, form, limit, request.reporter)


def ask_answer(request: Request, form: Format, limit: int | None) -> None:
    """Write the first rows of the final query."""
    columns = ", ".join(ANSWER_SHOWN) if form == "table" else "*"
    ask(request, f"select {columns} from {ANSWER} order by order_id, product_id", form, limit)
