"""Show the ledger as tables: the steps of one day, or the last days as a grid."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ingestion.redact import show_text
from pipeline.ledger import FINISHED, STEPS, Ledger

_GRID_DAYS = 14
_COLORS = {
    "done": "green", "skipped": "green", "running": "cyan", "not run": "dim",
    "failed": "bold red", "interrupted": "bold red", "refused": "bold yellow",
}  # fmt: skip


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


def day_table(ledger: Ledger, run_date: str, target: str | None = None, *, longest: int = 10_000) -> Group:
    """Return one row per step (extract: per source), and below the start of each step's error, and its command."""
    table, below = _table("step", "source", "state", "started", "took", "rows"), []
    for entry in day_entries(ledger, run_date, target):
        place, state, error = entry["source"] or "", entry["state"], entry.get("error")
        started, took = _times(entry)
        table.add_row(entry["step"], place, _state(state), started, took, _count(entry.get("rows")))
        if error:
            line = f"{entry['step']} {place}".strip() + f" {state}: {error}"
            below.append(Text(show_text(line, longest), no_wrap=False, overflow="fold"))
        if state not in FINISHED:
            below.append(Text(f"  run: {entry['command']}"))
    return Group(table, *([Text(), *below] if below else []))


def days_grid(ledger: Ledger, target: str | None = None, *, is_narrow: bool = False) -> Table:
    """Return the last 14 days in the ledger, with one column per step; a narrow one leaves out the versions."""
    steps = [step.removeprefix("check_" * is_narrow) for step in STEPS]
    table = _table("run date", *steps, "rows", "rejected", *([] if is_narrow else ["published"]))
    if is_narrow:
        table.padding = (0, 1, 0, 0)
    for day in last_days(ledger):
        entries = {step: ledger.read(day, step, target) or {"state": "not run"} for step in STEPS}
        states = [_state(entry["state"], "*" if _is_accepted(entry) else "") for entry in entries.values()]
        found_by = *entries["extract"].get("sources", {}).values(), entries["build"]
        rejected = sum(entry.get("rejected_rows", 0) for entry in found_by)
        published = [] if is_narrow else [entries["publish"].get("version") or ""]
        table.add_row(day, *states, _count(entries["extract"].get("rows")), _count(rejected), *published)
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


def _state(state: str, mark: str = "") -> Text:
    return Text(state + mark, _COLORS[state])


def _count(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}"


def _times(entry: dict[str, Any]) -> tuple[str, str]:
    """Return when a step started, to the second in UTC, and how long it took."""
    if not (started := entry.get("started")):
        return "", ""
    ended = entry.get("ended")
    took = datetime.fromisoformat(ended) - datetime.fromisoformat(started) if ended else None
    return started[:19].replace("T", " "), "" if took is None else f"{took.total_seconds():,.1f} s"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, caption_justify="left")
    for column in columns:
        right = column in ("took", "rows", "rejected")
        # Other columns may be folded: sources and states.
        is_whole = right or column in ("run date", "step", "started", "published")
        table.add_column(column, justify="right" if right else "left", no_wrap=is_whole, overflow="fold")
    return table
