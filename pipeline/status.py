"""What the ledger says, as tables: the steps of one day, or the state of every day."""

from typing import Any

from rich.table import Table

from pipeline.ledger import STEPS, Ledger


def is_complete(ledger: Ledger, run_date: str) -> bool:
    """Say whether every step of a day is done."""
    return all(ledger.is_done(run_date, step) for step in STEPS)


def day_table(ledger: Ledger, run_date: str) -> Table:
    """Return one row a step (extract: a source): state, times, rows, and for what isn't done the error and command."""
    table = _table("step", "source", "state", "started", "ended", "rows", "error", "command")
    for step in STEPS:
        entry = ledger.read(run_date, step) or {"state": "not run"}
        for source, part in entry.get("sources", {"": entry}).items():
            command = "" if part["state"] == "done" else part.get("command", f"tradewinds {step} --run-date {run_date}")
            table.add_row(step, source, *_cells(part), part.get("error") or "", command)
    return table


def days_table(ledger: Ledger) -> Table:
    """Return one row a day and one column a step, with each step's state."""
    table = _table("run date", *STEPS)
    for day in ledger.days():
        states = [(ledger.read(day, step) or {}).get("state", "not run") for step in STEPS]
        table.add_row(day, *states)
    return table


def _cells(part: dict[str, Any]) -> list[str]:
    rows = part.get("rows")
    counted = "" if rows is None else f"{rows:,}"
    return [part["state"], _time(part.get("started")), _time(part.get("ended")), counted]


def _time(moment: str | None) -> str:
    """Return a moment of the ledger to the second, in UTC."""
    return (moment or "")[:19].replace("T", " ")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column == "rows" else "left", overflow="fold")
    return table
