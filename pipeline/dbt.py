"""Run dbt in this process, one line a node, with its artifacts under the home."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from ingestion.errors import StepFailed
from ingestion.redact import redact
from ingestion.settings import PROJECT, Home

# Called with a node's name, its status and its seconds.
OnNode = Callable[[str, str, float], None]

_GOOD = ("success", "pass", "no-op", "warn")


@dataclass(frozen=True)
class BuildResult:
    """How many nodes ended in each status, and what the warnings said."""

    counts: dict[str, int]
    warnings: list[str]


def dbt_build(run_date: str, target: str, home: Home, *, select: list[str], on_node: OnNode) -> BuildResult:
    """Do what `dbt build --vars '{run_date: D}'` does; raises StepFailed naming every node that failed."""
    from dbt.cli.main import dbtRunner

    os.environ["TRADEWINDS_HOME"] = str(home.root)
    home.warehouse.mkdir(parents=True, exist_ok=True)
    # dbt's own words go to dbt.log beside the day's ledger; here each node gets our one line.
    logging = ["--log-level", "none", "--log-level-file", "info", "--log-path", str(home.runs / run_date)]
    places = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", target]
    places += ["--target-path", str(home.root / "reports" / "dbt")]
    request = ["--vars", f"{{run_date: '{run_date}'}}", *(["--select", *select] if select else [])]
    runner = dbtRunner(manifest=_parse(tuple(places)), callbacks=[_reporting(on_node)])
    outcome = runner.invoke([*logging, "build", *places, *request])
    if outcome.exception:
        raise StepFailed(f"dbt: {_message(outcome.exception)}")
    results = list(outcome.result or [])
    failed = [_describe(result) for result in results if result.status not in (*_GOOD, "skipped")]
    if failed or not outcome.success:
        raise StepFailed("; ".join(failed) or "dbt failed, see dbt.log in the day's folder of the ledger")
    return BuildResult(
        counts=dict(Counter(str(result.status) for result in results)),
        warnings=[_describe(result) for result in results if result.status == "warn"],
    )


@cache
def _parse(places: tuple[str, ...]) -> Any:
    """Return the parsed project; without the day's --vars dbt's cache of the last parse stays valid every day."""
    from dbt.cli.main import dbtRunner

    outcome = dbtRunner().invoke(["--log-level", "none", "--log-level-file", "none", "parse", *places])
    if not outcome.success:
        raise StepFailed(f"dbt: {_message(outcome.exception)}")
    return outcome.result


def _reporting(on_node: OnNode) -> Callable[[Any], None]:
    def report(event: Any) -> None:
        if event.info.name == "NodeFinished":
            node, result = event.data.node_info, event.data.run_result
            on_node(node.node_name, result.status, result.execution_time)

    return report


def _describe(result: Any) -> str:
    return f"{result.node.resource_type} {result.node.name}: {_message(result.message or result.status)}"


def _message(text: object) -> str:
    """Return dbt's message as one line, without its own headings and file hints."""
    lines = [line.strip() for line in str(text).splitlines()]
    kept = [line for line in lines if line and not line.startswith(("> in macro", "> called by", "compiled code at"))]
    return redact(" ".join(kept))
