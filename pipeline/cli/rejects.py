"""`tradewinds rejects`: show rejected rows, and replay those that are valid now."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ingestion.errors import BadRequest
from pipeline.cli.completion import a_source
from pipeline.cli.options import Limit, RowFormat, SourceNames, Target, complete_source, examples, serving

rejects_app = typer.Typer(name="rejects", help="Rows that couldn't be read or broke a rule.")


@rejects_app.command(
    "list",
    epilog=examples(
        "tradewinds rejects list",
        f"tradewinds rejects list --run-date 2021-01-02 --source {a_source('csv')} --format csv",
    ),
)
def list_(
    run_date: Annotated[
        str | None, typer.Option("--run-date", metavar="YYYY-MM-DD", help="The day; the default is counts of all days.")
    ] = None,
    source: SourceNames = None,
    limit: Limit = None,
    form: RowFormat = "table",
    target: Target = "duckdb",
) -> None:
    """Show the rejected rows of a day, or their number on every day."""
    from pipeline.cli.row_formats import write_rows
    from pipeline.run.dates import parse_run_date
    from pipeline.run.judged import COLUMNS
    from pipeline.run.rejects import COUNTED, count_rejects, landed_days, list_rejects, unjudged

    day = run_date and parse_run_date(run_date)
    with serving(target, source) as request:
        rows, columns = (list_rejects(request, day), COLUMNS) if day else (count_rejects(request), COUNTED)
        write_rows(rows, columns, form, limit, request.reporter)
        if note := unjudged(request, [day] if day else landed_days(request)):
            print(f"tradewinds: {note}", file=sys.stderr)


@rejects_app.command(
    epilog=examples(
        f"tradewinds rejects replay --run-date 2021-01-02 --source {a_source('csv')}",
        f"tradewinds rejects replay --run-date 2021-01-02 --source {a_source('csv')} --from mended.csv",
    )
)
def replay(
    run_date: Annotated[str, typer.Option("--run-date", metavar="YYYY-MM-DD", help="The landed day.")],
    source: Annotated[
        str,
        typer.Option("--source", help="The source with the corrected rows.", autocompletion=complete_source),
    ],
    mended: Annotated[
        Path | None,
        typer.Option("--from", exists=True, dir_okay=False, help="A corrected copy of the file to read instead."),
    ] = None,
    target: Target = "duckdb",
) -> None:
    """Read a source again after a fix, add the corrected rows to the landed day, and run the later steps.

    Only rejected rows may have changed; use `tradewinds extract` if others have. Rows that were read but broke a rule
    need no replay, because every build validates them again.
    """
    from ingestion.sources import SOURCES
    from ingestion.sources.csv_source import CsvSource
    from pipeline.run.dates import parse_run_date
    from pipeline.run.rejects import replay_rejects
    from pipeline.run.request import Request

    day = parse_run_date(run_date)
    with serving(target, [source]) as request:
        reading = SOURCES[source]
        if mended and not isinstance(reading, CsvSource):
            raise BadRequest(f"--from needs a source that is a CSV file; {source} is none")
        # The later steps run for the whole day, as in `run`.
        whole = Request(request.home, request.target, reporter=request.reporter)
        replay_rejects(whole, reading.reading_from(mended) if mended else reading, day)
