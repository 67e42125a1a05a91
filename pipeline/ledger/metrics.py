"""Export the ledger as Prometheus metrics: `runs/metrics.prom`, for node_exporter's textfile collector."""

import fcntl
from collections import defaultdict
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from ingestion.files import write_atomically
from pipeline.ledger import Ledger

FILE_NAME = "metrics.prom"

_LABELS = ("step", "source", "target")
_HELP = {
    "tradewinds_step_rows": "Rows that the last run of the step was about; none for one that failed.",
    "tradewinds_step_rejected_rows": "Rows that the last run of the step rejected, and kept.",
    "tradewinds_step_duration_seconds": "How long the last run of the step took.",
    "tradewinds_step_running": "1 while the step runs.",
    "tradewinds_step_failed": "1 when the last run of the step failed, was refused or was cut off.",
    "tradewinds_step_exit_code": "How the last run of the step ended: 0 done or skipped, 1 failed, 3 refused.",
    "tradewinds_step_unfinished_days": "Run dates on which the step's last run failed, was refused or was cut off.",
    "tradewinds_step_run_date_timestamp_seconds": "The run date of the last run of the step, at midnight UTC.",
    "tradewinds_step_started_timestamp_seconds": "When the last run of the step began.",
    "tradewinds_step_last_success_timestamp_seconds": "When the step last ended well, on whichever run date.",
}
_EXIT_CODES = {"done": 0, "skipped": 0, "failed": 1, "refused": 3}
_BAD = ("failed", "refused", "interrupted")


def write_metrics(ledger: Ledger, folder: Path) -> None:
    """Write the metrics of every step in the ledger; raises OSError when the file can't be written."""
    with (folder / f".{FILE_NAME}.lock").open("w", encoding="utf-8") as lock:
        # Read and write under one lock, so that the later of two processes writes the metrics of both.
        fcntl.flock(lock, fcntl.LOCK_EX)
        write_atomically(folder / FILE_NAME, generate_latest(_gauges(ledger.entries())).decode(), is_shared=True)


def _gauges(entries: list[dict[str, Any]]) -> CollectorRegistry:
    """Return each metric with one sample for each step, source and target that has a value."""
    registry, series = CollectorRegistry(), defaultdict(list)
    for entry in entries:
        # An extract has no target, because it lands once for all.
        labels = entry["step"], entry["source"] or "", "" if entry["source"] else entry["target"]
        series[labels].append(entry)
    gauges = {name: Gauge(name, text, _LABELS, registry=registry) for name, text in _HELP.items()}
    for labels, told in sorted(series.items()):
        for name, value in _values(told).items():
            if value is not None:
                gauges[name].labels(*labels).set(value)
    return registry


def _values(entries: list[dict[str, Any]]) -> dict[str, float | None]:
    """Return the values of a series' metrics by name, None where the last run gives none."""
    last = max(entries, key=lambda entry: entry["started_at"])
    is_running = last["state"] == "running"
    ended = last["ended_at"]
    successes = [_seconds(entry["last_success_at"]) for entry in entries if entry["last_success_at"]]
    return {
        "tradewinds_step_rows": last["row_count"],
        "tradewinds_step_rejected_rows": last["rejected_row_count"],
        "tradewinds_step_duration_seconds": ended and (ended - last["started_at"]).total_seconds(),
        "tradewinds_step_running": is_running,
        "tradewinds_step_failed": None if is_running else last["state"] in _BAD,
        "tradewinds_step_exit_code": _EXIT_CODES.get(last["state"]),
        "tradewinds_step_unfinished_days": sum(entry["state"] in _BAD for entry in entries),
        "tradewinds_step_run_date_timestamp_seconds": _seconds(datetime.combine(last["run_date"], time())),
        "tradewinds_step_started_timestamp_seconds": _seconds(last["started_at"]),
        "tradewinds_step_last_success_timestamp_seconds": max(successes, default=None),
    }


def _seconds(moment: datetime) -> float:
    """Return a naive UTC time as seconds since 1970."""
    return moment.replace(tzinfo=UTC).timestamp()
