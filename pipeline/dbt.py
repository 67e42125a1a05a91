"""Run dbt in this process, one line a node, with its artifacts under the home."""

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

from ingestion.errors import StepFailed
from ingestion.redact import redact
from ingestion.settings import PROJECT, Home
from ingestion.warehouse import open_warehouse
from pipeline.dbt_manifest import parsed_project
from pipeline.dbt_messages import shown_message
from pipeline.selection import nodes_of_sources

# Called with a node's name, its status and its seconds.
OnNode = Callable[[str, str, float], None]

_GOOD = ("success", "pass", "no-op", "warn")
# What says nothing of a day's data: tests of the code on rows of their own, and nodes that do nothing.
_BESIDE_DATA = ("--exclude-resource-type", "unit_test", "exposure", "saved_query")
_HISTORY = ("--select", "tag:history", "--exclude-resource-type", "test", "unit_test")
# Views of their own schema, so that looking at a past day leaves the build as it is.
_CHECK_SUFFIX = "_verify"
_CHECK = ("--select", "tag:history,resource_type:model", "assert_history_matches_raw", "--indirect-selection", "empty")

# How macros/refuse_history_gaps.sql begins.
_BEHIND = "history is behind run date"

# How many of a failed test's rows an error shows, and in how many characters.
_EXAMPLES = 3
_EXAMPLE_LENGTH = 400


class HistoryBehind(StepFailed):
    """A build was refused, before it changed anything, because loaded days before it aren't in history yet."""


@dataclass(frozen=True)
class BuildResult:
    """How many nodes ended in each status, and what the warnings said."""

    counts: dict[str, int]
    warnings: list[str]


class Dbt:
    """The project at one target; every call is an invocation in this process, the parse is shared."""

    def __init__(self, target: str, home: Home):
        self._target, self._home = target, home
        self._places = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", target]
        self._places += ["--target-path", str(home.root / "reports" / "dbt")]
        self._manifests: dict[tuple[tuple[str, str], ...], Any] = {}

    def prepare(self) -> None:
        """Import dbt and read the parse, which the next call then finds; raises StepFailed when it can't be parsed."""
        import dbt.cli.main  # noqa: F401

        self._parse(())

    def release(self) -> None:
        """Let go of the connections that dbt holds open after a call."""
        open_warehouse(self._target, self._home).release()

    def nodes_of_sources(self, sources: list[str]) -> list[str]:
        """Return what to select for a build of these sources alone."""
        return nodes_of_sources(self._parse(()), sources)

    def build(self, run_date: str, *, select: list[str], on_node: OnNode) -> BuildResult:
        """Do what `dbt build --vars '{run_date: D}'` does to the data; unit tests are left out.

        Raises HistoryBehind when earlier days must be replayed first, StepFailed naming every node that failed.
        """
        words = ["--select", *select] if select else []
        try:
            results = self._invoke("build", run_date, *_BESIDE_DATA, *words, on_node=on_node)
        except StepFailed as error:
            raise HistoryBehind(error.reason) if _BEHIND in error.reason else error from None
        return BuildResult(
            counts=dict(Counter(str(result.status) for result in results)),
            warnings=[_describe(result) for result in results if result.status == "warn"],
        )

    def history_gaps(self, run_date: str) -> list[str]:
        """Return the loaded days before this one that history lacks or holds from other rows, oldest first."""
        query = f"{{{{ history_gaps('{run_date}') }}}}"
        (shown,) = self._invoke("show", run_date, "--inline", query, "--limit", "-1")
        return [str(day)[:10] for day in shown.agate_table.columns[0].values()]

    def replay_history(self, run_date: str) -> None:
        """Bring history to the end of a past day; raises StepFailed when a snapshot fails."""
        self._invoke("build", run_date, *_HISTORY)

    def check_history(self, run_date: str) -> list[str]:
        """Return what tells history as of a loaded day from the day's raw rows, nothing when they are equal."""
        self._parse((("schema_suffix", _CHECK_SUFFIX),))  # a project that can't be parsed says nothing of history
        try:
            self._invoke("build", run_date, *_CHECK, schema_suffix=_CHECK_SUFFIX)
        except StepFailed as error:
            return [error.reason]
        return []

    def document(self, run_date: str, folder: Path) -> None:
        """Write dbt's manifest.json, catalog.json and static_index.html of what is built into a folder."""
        outcome = self._run(["docs", "generate"], run_date, "--static", "--target-path", str(folder))
        if not outcome.success:
            raise StepFailed("dbt can't say what is built, see dbt.log in the day's folder of the ledger")

    def _invoke(
        self, verb: str, run_date: str, *words: str, on_node: OnNode | None = None, **variables: str
    ) -> list[Any]:
        """Run one dbt command for a day and return its nodes' results; raises StepFailed when any failed."""
        outcome = self._run([verb], run_date, *words, on_node=on_node, **variables)
        results = list(outcome.result or [])
        bad = [result for result in results if result.status not in (*_GOOD, "skipped")]
        failed = [_describe(result) + self._examples(run_date, result) for result in bad]
        if failed or not outcome.success:
            raise StepFailed("; ".join(failed) or "dbt failed, see dbt.log in the day's folder of the ledger")
        return results

    def _run(self, verb: list[str], run_date: str, *words: str, on_node: OnNode | None = None, **variables: str) -> Any:
        """Run one dbt command for a day and return what dbt says became of it; raises StepFailed when it broke off."""
        from dbt.cli.main import dbtRunner

        # dbt's own words go to dbt.log beside the day's ledger; here each node gets our one line.
        logs = ["--log-level", "none", "--log-level-file", "info", "--log-path", str(self._home.runs / run_date)]
        manifest = self._parse(tuple(variables.items()))
        runner = dbtRunner(manifest=manifest, callbacks=[_reporting(on_node)] if on_node else [])
        variables = json.dumps({"run_date": run_date} | variables)
        # Nobody reads the artifacts of a build, and writing them takes longer than most models.
        artifacts = ["--no-write-json"] if verb == ["build"] else []
        outcome = runner.invoke([*logs, *artifacts, *verb, *self._places, "--vars", variables, *words])
        if outcome.exception:
            raise StepFailed(f"dbt: {shown_message(outcome.exception)}")
        return outcome

    def _examples(self, run_date: str, result: Any) -> str:
        """Return the first rows that a failed data test found, as `e.g. column=value, …`; nothing when it has none."""
        if result.node.resource_type != "test" or result.status != "fail":
            return ""
        # Compiled already: braces in it are text.
        query = f"{{% raw %}}{result.node.compiled_code}{{% endraw %}}"
        try:
            (shown,) = self._invoke("show", run_date, "--inline", query, "--limit", str(_EXAMPLES))
        except StepFailed:  # that the test failed says more than that its rows can't be shown
            return ""
        table = shown.agate_table
        rows = [zip(table.column_names, row, strict=True) for row in table.rows]
        texts = [", ".join(f"{name}={value}" for name, value in row) for row in rows]
        return shorten(redact(f", e.g. {'; '.join(texts)}"), _EXAMPLE_LENGTH, placeholder=" …") if texts else ""

    def _parse(self, variables: tuple[tuple[str, str], ...]) -> Any:
        """Return the project as these variables shape it; the day shapes nothing."""
        if variables not in self._manifests:
            os.environ["TRADEWINDS_HOME"] = str(self._home.root)
            self._manifests[variables] = parsed_project(self._target, self._home, dict(variables), self._places)
        return self._manifests[variables]


def _reporting(on_node: OnNode) -> Callable[[Any], None]:
    def report(event: Any) -> None:
        if event.info.name == "NodeFinished":
            node, result = event.data.node_info, event.data.run_result
            on_node(node.node_name, result.status, result.execution_time)

    return report


def _describe(result: Any) -> str:
    return f"{result.node.resource_type} {result.node.name}: {shown_message(result.message or result.status)}"
