"""Commands that show the ledger and verify stored data."""

import os
from contextlib import nullcontext
from dataclasses import replace
from typing import Annotated

import typer

from ingestion.errors import BadRequest
from pipeline.cli.options import Request, command, complete_target, step_command
from pipeline.run.dates import parse_run_date

ledger_app = typer.Typer()


@command(
    ledger_app,
    "tradewinds status",
    "tradewinds status --run-date 2021-01-02",
    "tradewinds status --run-date 2021-01-02 --quiet",
    "tradewinds status --format json",
    "tradewinds status --space",
    takes=("quiet", "output"),
)
def status(
    request: Request,
    run_date: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY-MM-DD", help="The day to show; the default is the last 14 days.", parser=parse_run_date
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="Only the steps of this warehouse; the default is the last one used.", autocompletion=complete_target
        ),
    ] = None,
    alert: Annotated[
        bool, typer.Option("--alert", help="Alert that the day is late if it isn't complete (TRADEWINDS_ALERTS).")
    ] = False,
    space: Annotated[bool, typer.Option("--space", help="Show what takes how much space instead.")] = False,
) -> None:
    """Show a day's steps, or the last 14 days as a grid; with a day, exit 0 if it is complete."""
    from pipeline.ledger.status import day_entries, day_table, days_grid, is_complete, last_days
    from pipeline.run.alerts import alert_late

    replace(request, target=target or "duckdb").check()
    if alert and not (run_date and os.environ.get("TRADEWINDS_ALERTS")):
        raise BadRequest("--alert needs --run-date, and TRADEWINDS_ALERTS")
    if space:
        _show_space(replace(request, target=target or "duckdb"))
        return
    reporter, days = request.reporter, [run_date] if run_date else last_days(request.ledger)
    if not days:
        reporter.say("no day has run yet; run: tradewinds run")
    elif run_date:
        reporter.console.print(day_table(request.ledger, run_date, target, longest=4 * reporter.console.width))
    else:
        grid = days_grid(request.ledger, target)
        is_narrow = not reporter.fits(grid)
        reporter.console.print(days_grid(request.ledger, target, is_narrow=True) if is_narrow else grid)
    for told in days:
        for entry in day_entries(request.ledger, told, target):
            reporter.tell(**entry)
    if run_date and not is_complete(request.ledger, run_date, target):
        if alert:
            alert_late(request, run_date)
        raise typer.Exit(1)


def _show_space(request: Request) -> None:
    from pipeline.ledger.space import measure, space_table

    with request.warehouse.serving():
        measured = list(measure(request.home, request.warehouse))
    request.reporter.console.print(space_table(measured))
    for kind, name, size in measured:
        request.reporter.tell(kind=kind, name=name, bytes=size)


@command(
    ledger_app,
    "tradewinds prune --keep-days 30 --keep-monthly --dry-run",
    "tradewinds prune --keep-days 30 --keep-monthly",
    takes=("target", "quiet", "output"),
    during=lambda request: request.warehouse.serving(),
)
def prune(
    request: Request,
    keep_days: Annotated[int, typer.Option("--keep-days", min=1, help="Keep the last N days that have landed.")],
    keep_monthly: Annotated[
        bool, typer.Option("--keep-monthly", help="Also keep the last landed day of each month.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be removed, and remove nothing.")
    ] = False,
) -> None:
    """Remove old days from landing and raw, and versions that rollback needn't keep.

    The published day, later ones, each source's last day, and all of history stay. Pruned days, and days before them,
    can't land or be built again.
    """
    from pipeline.run import retention

    retention.prune(request, keep_days, keep_monthly=keep_monthly, dry_run=dry_run)


@step_command(ledger_app, "tradewinds verify", "tradewinds verify --history --target postgres", during=nullcontext)
def verify(
    request: Request,
    history: Annotated[bool, typer.Option("--history", help="Also compare history as of every day with raw.")] = False,
) -> None:
    """Verify every landed file's SHA-256, and optionally history against raw."""
    from pipeline.run.verify import verify_history, verify_landing

    verify_landing(request)
    if history:
        with request.warehouse.serving():
            verify_history(request)
