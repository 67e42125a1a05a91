"""Print the summary of a run: what was built, its sources, the answer's first rows, and where to look."""

from itertools import islice

from rich.table import Table
from rich.text import Text

from ingestion.landing import Landing
from ingestion.redact import show_text
from ingestion.sources import kind_of
from pipeline.cli.json_values import plain_text
from pipeline.dbt.project import Export, find_answer
from pipeline.publishing import open_publisher
from pipeline.run.request import Request

# The setting of your own source, by area of landing.
_SETTINGS = {
    "postgres": "SOURCES__{}__CREDENTIALS",
    "csv": "SOURCES__{}__PATH",
    "people": "PEOPLE_DATABASE_URL",
    "api": "SOURCES__{}__BASE_URL",
}


def print_summary(request: Request, run_date: str) -> None:
    """Print the summary of a finished day."""
    landing, home, say = Landing(request.home), request.home, request.reporter.say
    say("")
    say(f"Run date {run_date}")
    built = request.ledger.read(run_date, "build", request.target) or {}
    for source in request.sources_of(run_date):
        manifest = landing.landed_manifest(source.name, run_date)
        origin = "generated sample data" if manifest.is_sample else "your own source"
        setting = _SETTINGS.get(kind_of(source), "").format(source.name.upper())
        hint = f"; set {setting} to use your own" if manifest.is_sample else ""
        rejected = manifest.rejected_rows + built.get("rejected", {}).get(source.name, 0)
        say(f"  {source.name:<14} {manifest.rows:>9,} rows, {rejected:,} rejected   {origin}{hint}")
    say("")
    if answer := find_answer():
        say(f"The first rows of {answer.relation}:")
        request.reporter.console.print(_first_rows(request, answer, 5))
        say("")
        files = " and ".join([f"{answer.name}.{answer.formats[0]}", *(f".{form}" for form in answer.formats[1:])])
        say(f"  the answer, whole   {home.exports}/{run_date}/{files}")
    publisher = open_publisher(request.target, home)
    published = request.ledger.read(run_date, "publish", request.target) or {}
    if published.get("state") == "skipped" and (current := publisher.current()):
        again = f"{request.whole.command('publish', run_date)} --allow-older"
        say(f"  not published       readers keep {current.name}, which is newer; {again}")
    else:
        say(f"  the marts, for BI   {publisher.place}")
    say(f"  what was done       tradewinds status --run-date {run_date}")


def _first_rows(request: Request, answer: Export, count: int) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in answer.answer:
        table.add_column(column, no_wrap=True)
    with request.warehouse.reading(answer.relation, answer.order_by) as mart:
        rows = (row for batch in mart for row in batch.to_pylist())
        for row in islice(rows, count):
            table.add_row(*(Text(show_text(plain_text(row[column]))) for column in answer.answer))
    return table
