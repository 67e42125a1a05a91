"""The ledger of steps: one file per run date and step, `runs/<run_date>/<step>.json`."""

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from ingestion.errors import BadRequest, Refused
from ingestion.files import write_atomically
from ingestion.redact import redact_error
from ingestion.settings import Home

STEPS = ("extract", "load", "check_arrivals", "build", "check_marts", "publish")
# A step that had nothing to do, such as the publish of a day older than the published one, is skipped.
FINISHED = ("done", "skipped")

# Far more than any file system's time resolution.
_TICK_NANOSECONDS = 2_000_000_000


class Record:
    """The entry of a running step, which the step fills in. `entry` is its entry once it has ended.

    `is_stored` unless a refusal left an earlier entry. `run_id` is the step's run for OpenLineage.
    """

    def __init__(self) -> None:
        self.run_id = uuid4()
        self.entry: dict[str, Any] | None = None
        self.is_stored = True
        self.state = "done"
        self.rows: int | None = None
        self.details: dict[str, Any] = {}

    def acknowledge(self, given: frozenset[str], *guards: str) -> None:
        """Store which of a step's guards were accepted on this run, by the names of their `--accept-…` options."""
        if accepted := [guard for guard in guards if guard in given]:
            self.details["accepted"] = accepted


class Ledger:
    """Records and reads steps. Extract's file has an entry for each source, the other files one for each target.

    At the top is the last entry, or for extract a summary of all. `run_at` is the run's scheduled time, if it was
    given. `last_success` is the time of the last success, even if the step has failed since.
    """

    def __init__(self, home: Home, run_at: datetime | None = None):
        self._runs = home.runs
        self._run_at = run_at
        self._settled: dict[str, tuple[int, list[dict[str, Any]]]] = {}

    @contextmanager
    def recording(
        self, run_date: str, step: str, command: str, target: str, source: str | None = None
    ) -> Iterator[Record]:
        """Store a step's entry: running, then done, skipped, failed or refused; a killed process leaves `running`.

        A wrong request leaves no entry. A refusal leaves one only where the step never ended on a day with other steps.
        """
        folder = self._runs / run_date
        folder.mkdir(parents=True, exist_ok=True)
        record = Record()
        entry = {
            "state": "running",
            "started": _now(),
            "ended": None,
            "rows": None,
            "error": None,
            "command": command,
            "target": target,
            "run_at": self._run_at and self._run_at.isoformat(),
        }
        part = "sources" if source else "targets", source or target
        with self._alive_path(run_date, step, part[1]).open("w", encoding="utf-8") as alive:
            fcntl.flock(alive, fcntl.LOCK_SH)
            before = (self._read_file(run_date, step) or {}).get(part[0], {}).get(part[1])
            entry["last_success"] = (before or {}).get("last_success")
            self._write(run_date, step, part, entry)
            try:
                yield record
            except BadRequest:
                self._write(run_date, step, part, before)
                raise
            except BaseException as error:
                state = "refused" if isinstance(error, Refused) else "failed"
                ending: dict[str, Any] = {"ended": _now(), "state": state}
                ending["error"] = redact_error(error) or type(error).__name__
                record.entry = entry | ending | record.details
                record.is_stored = state == "failed" or self._tells(run_date, step, before)
                self._write(run_date, step, part, record.entry if record.is_stored else before)
                raise
            ending = {"ended": _now(), "state": record.state, "rows": record.rows}
            if record.state == "done":
                ending["last_success"] = ending["ended"]
            record.entry = entry | ending | record.details
            self._write(run_date, step, part, record.entry)

    def read(self, run_date: str, step: str, target: str | None = None) -> dict[str, Any] | None:
        """Return a step's last entry, or a target's; None when it never ran.

        A `running` entry without a live process is `interrupted`.
        """
        entry = self._read_file(run_date, step)
        if entry is None:
            return None
        for source, part in entry.get("sources", {}).items():
            self._mark_interrupted(part, run_date, step, source)
        if "sources" in entry:
            return _summary(entry)
        entry = entry.get("targets", {}).get(target) if target else entry
        if entry:
            self._mark_interrupted(entry, run_date, step, entry["target"])
        return entry

    def is_done(self, run_date: str, step: str, *, source: str | None = None, target: str | None = None) -> bool:
        """Return whether the last run of a step, or of a source's part of it, succeeded or had nothing to do."""
        entry = self.read(run_date, step, target) or {}
        if source:
            entry = entry.get("sources", {}).get(source, {})
        return entry.get("state") in FINISHED

    def entries(self, *, done: tuple[str, str, str] | None = None) -> list[dict[str, Any]]:
        """Return every step of every day as a flat row, oldest day first; times are naive UTC.

        The running step `done` (day, step, target) is shown as done now.
        """
        rows = [row for day in self.days() for row in self._rows_of(day)]
        ending = {"state": "done", "ended_at": _moment(_now())}
        return [row | ending if (str(row["run_date"]), row["step"], row["target"]) == done else row for row in rows]

    def _rows_of(self, day: str) -> list[dict[str, Any]]:
        """Return a day's entries as flat rows, from memory while its folder is unchanged."""
        changed = (self._runs / day).stat().st_mtime_ns
        if self._settled.get(day, (None,))[0] == changed:
            return self._settled[day][1]
        steps = sorted(path.stem for path in (self._runs / day).glob("*.json"))
        rows = [_flat(day, step, source, entry) for step in steps for source, entry in self.parts(day, step)]
        # A killed step doesn't change its file, and a folder may change twice within one tick of the clock.
        is_settled = not any(row["state"] in ("running", "interrupted") for row in rows)
        if is_settled and time.time_ns() - changed > _TICK_NANOSECONDS:
            self._settled[day] = changed, rows
        return rows

    def days(self) -> list[str]:
        """Return every run date with an entry, oldest first."""
        return sorted(path.name for path in self._runs.glob("*") if any(path.glob("*.json")))

    def parts(self, run_date: str, step: str) -> list[tuple[str | None, dict[str, Any]]]:
        """Return a step's entries, each with its source if it has one; a file has one per source or per target."""
        whole = self.read(run_date, step) or {}
        if "sources" in whole:
            return sorted(whole["sources"].items())
        named = (self.read(run_date, step, target) for target in sorted(whole.get("targets", {})))
        return [(None, entry) for entry in named if entry]

    def _mark_interrupted(self, entry: dict[str, Any], run_date: str, step: str, part: str) -> None:
        if entry["state"] != "running":
            return
        with self._alive_path(run_date, step, part).open("a", encoding="utf-8") as alive:
            try:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
        entry |= {"state": "interrupted", "error": "the process ended before the step did"}

    def _tells(self, run_date: str, step: str, before: dict[str, Any] | None) -> bool:
        """Return whether a refusal is worth an entry: the step never ended before, and the day has other steps."""
        others = (path for path in (self._runs / run_date).glob("*.json") if path.stem != step)
        return before["state"] in ("running", "refused") if before else any(others)

    def _write(self, run_date: str, step: str, part: tuple[str, str], entry: dict[str, Any] | None) -> None:
        """Store the entry of a source's or target's part of a step, or remove it if it is None."""
        (kind, name), path = part, self._path(run_date, step)
        with (path.parent / f".{step}.lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            parts = (self._read_file(run_date, step) or {}).get(kind, {}) | {name: entry}
            parts = {other: told for other, told in parts.items() if told}
            if not parts:
                path.unlink()
                return
            last = max(parts.values(), key=lambda told: (told["started"], told["ended"] or "running"))
            whole = {"step": step, "run_date": run_date} | (last if kind == "targets" else {}) | {kind: parts}
            whole = _summary(whole) if kind == "sources" else whole
            write_atomically(path, json.dumps(whole, indent=1, ensure_ascii=False) + "\n")

    def _read_file(self, run_date: str, step: str) -> dict[str, Any] | None:
        try:
            return json.loads(self._path(run_date, step).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def _path(self, run_date: str, step: str) -> Path:
        return self._runs / run_date / f"{step}.json"

    def _alive_path(self, run_date: str, step: str, part: str) -> Path:
        """Return the file that a running part (a source's or a target's) holds a lock on."""
        return self._runs / run_date / f".{step}.{part}.alive"


def _summary(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a by-source entry with the whole step's state, times, rows, errors and next command at the top."""
    parts = entry["sources"]
    states = {part["state"] for part in parts.values()}
    state = next((bad for bad in ("failed", "refused", "interrupted", "running") if bad in states), "done")
    troubled = [part for part in parts.values() if part["state"] == state]
    counted = [part["rows"] for part in parts.values() if part["rows"] is not None]
    return {
        "step": entry["step"],
        "run_date": entry["run_date"],
        "state": state,
        "started": min(part["started"] for part in parts.values()),
        "ended": max(part["ended"] or "" for part in parts.values()) or None,
        "rows": sum(counted) if counted else None,
        "error": "; ".join(part["error"] for part in troubled if part["error"]) or None,
        "command": troubled[0]["command"],
        "sources": parts,
    }


def _flat(day: str, step: str, source: str | None, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "run_date": date.fromisoformat(day),
        "step": step,
        "source": source,
        "target": entry["target"],
        "state": entry["state"],
        "started_at": _moment(entry["started"]),
        "ended_at": _moment(entry["ended"]),
        "row_count": entry["rows"],
        "error": entry["error"],
        "command": entry["command"],
        "accepted": ",".join(entry.get("accepted") or []) or None,
        "run_at": _moment(entry.get("run_at")),
        "rejected_row_count": entry.get("rejected_rows"),
        "last_success_at": _moment(entry.get("last_success")),
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) if text else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
