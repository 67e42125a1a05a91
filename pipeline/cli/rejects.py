"""`tradewinds rejects`: show rejected rows, and replay those that are valid now."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ingestion.errors import BadRequest
from pipeline.cli.completion import a_source
from pipeline.cli.options import Limit, Request, RowFormat, complete_source, reading_command
from pipeline.run.dates import parse_run_date

rejects_app = typer.Typer(name="rejects", help="Rows that couldn't be read or broke a rule.")


@reading_command(
    rejects_app,
    "tradewinds rejects list",
    f"tradewinds rejects list --run-date 2021-01-02 --source {a_source('csv')} --format csv",
    name="list",
    takes=("target", "source"),
)
def list_(
    request: Request,
    run_date: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="The day; the default is counts of all days.", parser=parse_run_date),
    ] = None,
    limit: Limit = None,
    form: RowFormat = "table",
) -> None:
    """Show the rejected rows of a day, or their number on every day."""
    from pipeline.cli.row_formats import write_rows
    from pipeline.run.judged import COLUMNS
    from pipeline.run.rejects import COUNTED, count_rejects, landed_days, list_rejects, unjudged

    rows, columns = (list_rejects(request, run_date), COLUMNS) if run_date else (count_rejects(request), COUNTED)
    write_rows(rows, columns, form, limit, request.reporter)
    if note := unjudged(request, [run_date] if run_date else landed_days(request)):
        print(f"tradewinds: {note}", file=sys.stderr)


@reading_command(
    rejects_app,
    f"tradewinds rejects replay --run-date 2021-01-02 --source {a_source('csv')}",
    f"tradewinds rejects replay --run-date 2021-01-02 --source {a_source('csv')} --from mended.csv",
)
def replay(
    request: Request,
    run_date: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The landed day.", callback=parse_run_date)],
    source: Annotated[str, typer.Option(help="The source with the corrected rows.", autocompletion=complete_source)],
    mended: Annotated[
        Path | None,
        typer.Option("--from", exists=True, dir_okay=False, help="A corrected copy of the file to read instead."),
    ] = None,
) -> None:
    """Read a source again after a fix, add the corrected rows to the landed day, and run the later steps.

    Only rejected rows may have changed; use `tradewinds extract` if others have. Rows that were read but broke a rule
    need no replay, because every build validates them again.
    """
    from ingestion.sources import CsvSource, sources_named
    from pipeline.run.rejects import replay_rejects

    (reading,) = sources_named([source])
    if mended:
        if not isinstance(reading, CsvSource):
            raise BadRequest(f"--from needs a source that is a CSV file; {source} is none")
        reading = reading.reading_from(mended)
    replay_rejects(request, reading, run_date)
