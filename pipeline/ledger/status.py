"""Show the ledger as tables: the steps of one day, or the last days as a grid."""

from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from ingestion.redact import escape_controls
from pipeline.ledger import FINISHED, STEPS, Ledger

_GRID_DAYS = 14


def is_complete(ledger: Ledger, run_date: str, target: str | None = None) -> bool:
    """Return whether every step of a day is done, or had nothing to do."""
    return all(ledger.is_done(run_date, step, target=target) for step in STEPS)


def last_days(ledger: Ledger) -> list[str]:
    """Return the last 14 days in the ledger, oldest first."""
    return ledger.days()[-_GRID_DAYS:]


def day_entries(ledger: Ledger, run_date: str, target: str | None = None) -> Iterator[dict[str, Any]]:
    """Return a day's entries as the steps report them, in order: one per step, for extract one per source."""
    for step in STEPS:
        never: dict[str, Any] = {"state": "not run", "command": step_command(step, run_date, target)}
        entry = ledger.read(run_date, step, target) or never
        for source, part in entry.get("sources", {None: entry}).items():
            told = {name: value for name, value in part.items() if name != "targets"}
            yield {"run_date": run_date, "step": step, "source": source} | told


def day_table(ledger: Ledger, run_date: str, target: str | None = None) -> Table:
    """Return one row per step (extract: per source): state, times, rows, and unless done, error and command."""
    table = _table("step", "source", "state", "started", "ended", "rows", "error", "command")
    for entry in day_entries(ledger, run_date, target):
        command = "" if entry["state"] in FINISHED else entry["command"]
        error = Text(escape_controls(entry.get("error") or ""))  # a str would be parsed as markup
        table.add_row(entry["step"], entry["source"] or "", *_cells(entry), error, command)
    return table


def days_grid(ledger: Ledger, target: str | None = None) -> Table:
    """Return the last 14 days in the ledger, with one column per step."""
    table = _table("run date", *STEPS, "rows", "rejected", "published")
    for day in last_days(ledger):
        entries = {step: ledger.read(day, step, target) or {"state": "not run"} for step in STEPS}
        states = [entry["state"] + ("*" if _is_accepted(entry) else "") for entry in entries.values()]
        found_by = *entries["extract"].get("sources", {}).values(), entries["build"]
        rejected = sum(entry.get("rejected_rows", 0) for entry in found_by)
        published = entries["publish"].get("version") or ""
        table.add_row(day, *states, _count(entries["extract"].get("rows")), _count(rejected), published)
    table.caption = "* with a guard that a person has answered for (--accept-…)" if _has_mark(table) else None
    return table


def _is_accepted(entry: dict[str, Any]) -> bool:
    return any(part.get("accepted") for part in [entry, *entry.get("sources", {}).values()])


def _has_mark(table: Table) -> bool:
    return any("*" in str(cell) for column in table.columns for cell in column.cells)


def step_command(step: str, run_date: str, target: str | None = None) -> str:
    """Return the command of a step that never ran; `check_arrivals` is a stage of `check`."""
    verb, _, stage = step.partition("_")
    words = ["--stage", stage] if stage else []
    words += ["--target", target] if target and target != "duckdb" else []
    return " ".join(["tradewinds", verb, "--run-date", run_date, *words])


def _cells(part: dict[str, Any]) -> list[str]:
    return [part["state"], _time(part.get("started")), _time(part.get("ended")), _count(part.get("rows"))]


def _count(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}"


def _time(moment: str | None) -> str:
    """Return a time of the ledger to the second, in UTC."""
    return (moment or "")[:19].replace("T", " ")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, caption_justify="left")
    for column in columns:
        numeric = column in ("rows", "rejected")
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    return table
