"""Print the summary of a run: its sources, the first rows of the answer, and where the results are."""

from textwrap import wrap

from ingestion.landing import Landing
from ingestion.sources import Source
from ingestion.sources.selection import Selection
from pipeline.cli.tables import print_table
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
    home, say, console = request.home, request.reporter.say, request.reporter.console

    def point(label: str, text: str) -> None:
        # A path is never broken, so that it can be copied.
        lines = wrap(
            f"  {label:<20}{text}",
            console.width,
            subsequent_indent=" " * 22,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in lines:
            say(line)

    say("")
    say(f"Run date {run_date}")
    samples = _print_sources(request, run_date)
    say("")
    if answer := find_answer():
        say(f"The first rows of {answer.relation}:")
        print_table(_first_rows(request, answer, 5), answer.answer, console)
        say("")
        files = " and ".join([f"{answer.name}.{answer.formats[0]}", *(f".{form}" for form in answer.formats[1:])])
        point("exports", f"{home.exports}/{run_date}/{files}")
    publisher = open_publisher(request.target, home)
    published = request.ledger.read(run_date, "publish", request.target) or {}
    if published.get("state") == "skipped" and (current := publisher.current()):
        again = f"{request.whole.command('publish', run_date)} --allow-older"
        point("not published", f"readers keep {current.name}, which is newer; to replace it: {again}")
    else:
        point("published marts", publisher.place)
    point("steps", f"tradewinds status --run-date {run_date}")
    if settings := ", ".join(_SETTINGS[source.kind].format(source.name.upper()) for source in samples):
        point("your own data", f"set {settings}")


def _print_sources(request: Request, run_date: str) -> list[Source]:
    """Print a row for each source of the day; return those that are a sample."""
    landing, rows, samples = Landing(request.home), [], []
    built = request.ledger.read(run_date, "build", request.target) or {}
    for source in request.sources_of(run_date):
        manifest = landing.landed_manifest(source.name, run_date)
        rejected = manifest.rejected_rows + built.get("rejected", {}).get(source.name, 0)
        samples += [source] if manifest.is_sample else []
        data = "generated sample data" if manifest.is_sample else "your own source"
        rows.append((source.name, manifest.rows, rejected, data))
    print_table(rows, ("source", "rows", "rejected", "data"), request.reporter.console)
    return samples


def _first_rows(request: Request, answer: Export, count: int) -> list[list[object]]:
    with request.warehouse.reading(answer.relation, Selection(answer.order_by, limit=count)) as mart:
        return [[row[column] for column in answer.answer] for batch in mart for row in batch.to_pylist()]
