"""Commands that show the ledger and verify stored data."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import Output, Quiet, command, complete_target, examples, request_for
from pipeline.run.dates import parse_run_date

if TYPE_CHECKING:
    from pipeline.run.request import Request

ledger_app = typer.Typer()


@ledger_app.command(
    epilog=examples(
        "tradewinds status",
        "tradewinds status --run-date 2021-01-02",
        "tradewinds status --run-date 2021-01-02 --quiet",
        "tradewinds status --format json",
    )
)
def status(
    run_date: Annotated[
        str | None,
        typer.Option("--run-date", metavar="YYYY-MM-DD", help="The day to show; the default is the last 14 days."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            help="Only the steps of this warehouse; the default is the last one used.",
            autocompletion=complete_target,
        ),
    ] = None,
    quiet: Quiet = False,
    output: Output = "text",
) -> None:
    """Show a day's steps, or the last 14 days as a grid; with a day, exit 0 if it is complete."""
    from pipeline.ledger.status import day_entries, day_table, days_grid, is_complete, last_days

    day, request = run_date and parse_run_date(run_date), request_for(target or "duckdb", quiet=quiet, output=output)
    reporter, days = request.reporter, [day] if day else last_days(request.ledger)
    if not days:
        reporter.say("no day has run yet; run: tradewinds run")
    elif day:
        reporter.console.print(day_table(request.ledger, day, target, longest=4 * reporter.console.width))
    else:
        grid = days_grid(request.ledger, target)
        is_narrow = not reporter.fits(grid)
        reporter.console.print(days_grid(request.ledger, target, is_narrow=True) if is_narrow else grid)
    for told in days:
        for entry in day_entries(request.ledger, told, target):
            request.reporter.tell(**entry)
    if day and not is_complete(request.ledger, day, target):
        raise typer.Exit(1)


@command(
    ledger_app, "tradewinds verify", "tradewinds verify --history --target postgres", during=lambda _: nullcontext()
)
def verify(
    request: "Request",
    history: Annotated[bool, typer.Option("--history", help="Also compare history as of every day with raw.")] = False,
) -> None:
    """Verify every landed file's SHA-256, and optionally history against raw."""
    from pipeline.run.verify import verify_history, verify_landing

    verify_landing(request)
    if history:
        with request.warehouse.serving():
            verify_history(request)
