"""Run dbt in this process, with one line per node and its artifacts in the home."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from textwrap import shorten
from typing import Any

from ingestion.errors import Refused, StepFailed, TradewindsError
from ingestion.files import locked
from ingestion.redact import redact
from ingestion.settings import PROJECT, Home
from pipeline.dbt.lineage import Table, read_lineage
from pipeline.dbt.manifest import kept_beside, nodes_of_sources, parsed_project, shown_message

# Called with a finished node's name, status and seconds; when it starts, with its number (`17 of 120`) and None.
OnNode = Callable[[str, str, float | None], None]

_BUILT = ("model", "seed", "snapshot")
_GOOD = ("success", "pass", "no-op", "warn")
# Nodes that don't depend on a day's data: unit tests, and nodes that do nothing.
_BESIDE_DATA = ("--exclude-resource-type", "unit_test", "exposure", "saved_query")
_HISTORY = ("--select", "tag:history", "--exclude-resource-type", "test", "unit_test")
# Views in a separate schema, so that checking a past day doesn't change the build.
_CHECK_SUFFIX = "_verify"
_CHECK = ("--select", "tag:history,resource_type:model", "assert_history_matches_raw", "--indirect-selection", "empty")

# The start of the message of macros/start_build.sql.
_BEHIND = "history is behind run date"

# How many rows of a failed test an error shows, and their maximal length in characters.
_EXAMPLES = 3
_EXAMPLE_LENGTH = 400


class HistoryBehind(StepFailed):
    """A build was refused before any change, because earlier loaded days aren't in history yet."""


@dataclass(frozen=True)
class NodeRun:
    """A built model, seed or snapshot, and when it was built (UTC)."""

    name: str
    started: datetime
    ended: datetime


@dataclass(frozen=True)
class BuildResult:
    """The number of nodes by status, the warnings' messages, and what was built, in order.

    `tables` is the columns' lineage, if it can be read.
    """

    counts: dict[str, int]
    warnings: list[str]
    runs: list[NodeRun] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


class Dbt:
    """The project at one target; calls run in this process and share one parse."""

    def __init__(self, target: str, home: Home):
        self._target, self._home = target, home
        self._places = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", target]
        self._written = home.root / "reports" / "dbt"
        self._places += ["--target-path", str(self._written)]
        self._manifests: dict[tuple[tuple[str, str], ...], Any] = {}

    def prepare(self) -> None:
        """Import dbt and parse the project for the next call; raises StepFailed when it can't be parsed."""
        import dbt.cli.main  # noqa: F401

        self._parse(())

    def release(self) -> None:
        """Close the connections that dbt keeps open after a call."""
        from dbt.adapters.factory import FACTORY

        FACTORY.cleanup_connections()
        # dbt-duckdb keeps its file open until the process ends, and a process can open a DuckDB file only once.
        for connections in {type(adapter.connections) for adapter in FACTORY.adapters.values()}:
            if hasattr(connections, "close_all_connections"):
                with suppress(Exception):  # there is none if dbt ended before it connected
                    connections.env().close()
                connections.close_all_connections()

    def nodes_of_sources(self, sources: list[str]) -> list[str]:
        """Return the selection for a build of these sources alone."""
        return nodes_of_sources(self._parse(()), sources)

    def build(self, run_date: str, *, select: list[str], on_node: OnNode) -> BuildResult:
        """Do the same as `dbt build --vars '{run_date: D}'`, without unit tests.

        Raises HistoryBehind when earlier days must be replayed first, StepFailed naming every node that failed.
        """
        # A test that also reads what isn't selected runs in the build of the whole day: here its tables may be missing.
        words = ["--indirect-selection", "buildable", "--select", *select] if select else []
        results = self._invoke("build", run_date, *_BESIDE_DATA, *words, on_node=on_node)
        return BuildResult(
            counts=dict(Counter(str(result.status) for result in results)),
            warnings=[_describe(result) for result in results if result.status == "warn"],
            runs=[_run_of(result) for result in results if result.node.resource_type in _BUILT and result.timing],
        )

    def lineage(self) -> list[Table]:
        """Return the columns' lineage, if a build or the documentation has compiled every model, or has once.

        Raises StepFailed when it can't be read, Refused when dbt-colibri isn't installed.
        """

        def compiled() -> dict[str, Any] | None:
            manifest = self._parse(())
            nodes = [node for node in manifest.nodes.values() if node.resource_type in ("model", "snapshot")]
            is_whole = all(node.compiled_code for node in nodes)
            return manifest.writable_manifest().to_dict(omit_none=False) if is_whole else None

        return read_lineage(kept_beside(self._target, ".lineage.json"), compiled)

    def history_gaps(self, run_date: str) -> list[str]:
        """Return the earlier loaded days that history lacks or has from other rows, oldest first."""
        query = f"{{{{ history_gaps('{run_date}') }}}}"
        (shown,) = self._invoke("show", run_date, "--inline", query, "--limit", "-1")
        return [str(day)[:10] for day in shown.agate_table.columns[0].values()]

    def replay_history(self, run_date: str) -> None:
        """Bring history to the end of a past day; raises StepFailed when a snapshot fails."""
        self._invoke("build", run_date, *_HISTORY)

    def check_history(self, run_date: str) -> list[str]:
        """Return the differences between history as of a loaded day and the day's raw rows."""
        self._parse((("schema_suffix", _CHECK_SUFFIX),))  # a parse error isn't a finding about history
        try:
            self._invoke("build", run_date, *_CHECK, schema_suffix=_CHECK_SUFFIX)
        except TradewindsError as error:
            return [error.reason]
        return []

    def document(self, run_date: str, folder: Path) -> None:
        """Write dbt's manifest.json, catalog.json and static_index.html of the build into a folder."""
        outcome = self._run(["docs", "generate"], run_date, "--static", "--target-path", str(folder))
        if not outcome.success:
            raise StepFailed("dbt docs generate failed; see dbt.log in the day's folder of the ledger")

    def semantic_manifest(self) -> str:
        """Return the project's semantic models and metrics as JSON, for MetricFlow."""
        from dbt.contracts.graph.semantic_manifest import SemanticManifest

        return SemanticManifest(self._parse(()))._get_pydantic_semantic_manifest().json()

    def _invoke(
        self, verb: str, run_date: str, *words: str, on_node: OnNode | None = None, **variables: str
    ) -> list[Any]:
        """Run one dbt command for a day and return its nodes' results; raises StepFailed when a node failed."""
        outcome = self._run([verb], run_date, *words, on_node=on_node, **variables)
        results = list(outcome.result or [])
        bad = [result for result in results if result.status not in (*_GOOD, "skipped")]
        failed = [_describe(result) + self._examples(run_date, result) for result in bad]
        if failed or not outcome.success:
            failed = failed or ["dbt failed, see dbt.log in the day's folder of the ledger"]
            raise StepFailed.of("nodes failed", failed)
        return results

    def _run(self, verb: list[str], run_date: str, *words: str, on_node: OnNode | None = None, **variables: str) -> Any:
        """Run one dbt command for a day and return dbt's result.

        Raises StepFailed when it was aborted or beside another build, Refused when a hook names the command that must
        come first.
        """
        from dbt.cli.main import dbtRunner

        # dbt logs to dbt.log beside the day's ledger; here each node gets one line.
        logs = ["--log-level", "none", "--log-level-file", "info", "--log-path", str(self._home.runs / run_date)]
        manifest = self._parse(tuple(variables.items()))
        runner = dbtRunner(manifest=manifest, callbacks=[_reporting(on_node)] if on_node else [])
        given = json.dumps({"run_date": run_date} | variables)
        # A build's artifacts have no readers, and writing them takes longer than most models.
        builds = verb == ["build"]
        artifacts = ["--no-write-json"] if builds else []
        with self._building() if builds else nullcontext():
            outcome = runner.invoke([*logs, *artifacts, *verb, *self._places, "--vars", given, *words])
        if outcome.exception:
            raise _aborted(shown_message(outcome.exception))
        return outcome

    @contextmanager
    def _building(self) -> Iterator[None]:
        """Keep the home's other builds of the target away, as not every engine does; raises StepFailed if one runs.

        Remove the SQL of the last one: ext4 waits for the disk when a file's text is replaced, 3 ms a file. The folders
        stay, because another process may be writing there.
        """
        with ExitStack() as held:
            try:
                held.enter_context(locked(self._home.work / "locks" / f"build.{self._target}.lock"))
            except BlockingIOError:
                reason = "the warehouse is being built by another process; wait for it to end"
                raise StepFailed(reason) from None
            for file in filter(Path.is_file, self._written.glob("*/**/*.sql")):  # a folder can have such a name, too
                file.unlink(missing_ok=True)
            yield

    def _examples(self, run_date: str, result: Any) -> str:
        """Return the first rows of a failed data test as `e.g. column=value, …`, an empty text if it has none."""
        if result.node.resource_type != "test" or result.status != "fail":
            return ""
        # It is compiled, so braces are text.
        query = f"{{% raw %}}{result.node.compiled_code}{{% endraw %}}"
        try:
            (shown,) = self._invoke("show", run_date, "--inline", query, "--limit", str(_EXAMPLES))
        except StepFailed:  # the test's failure matters more than missing examples
            return ""
        table = shown.agate_table
        rows = [zip(table.column_names, row, strict=True) for row in table.rows]
        texts = [", ".join(f"{name}={value}" for name, value in row) for row in rows]
        return shorten(redact(f", e.g. {'; '.join(texts)}"), _EXAMPLE_LENGTH, placeholder=" …") if texts else ""

    def _parse(self, variables: tuple[tuple[str, str], ...]) -> Any:
        """Return the manifest for these variables; the day doesn't change it."""
        if variables not in self._manifests:
            os.environ["TRADEWINDS_HOME"] = str(self._home.root)
            self._manifests[variables] = parsed_project(self._target, self._home, dict(variables), self._places)
        return self._manifests[variables]


def _reporting(on_node: OnNode) -> Callable[[Any], None]:
    def report(event: Any) -> None:
        if event.info.name == "NodeFinished":
            node, result = event.data.node_info, event.data.run_result
            on_node(node.node_name, result.status, result.execution_time)
        elif event.info.name == "LogStartLine":
            on_node(event.data.node_info.node_name, f"{event.data.index} of {event.data.total}", None)

    return report


def _aborted(message: str) -> TradewindsError:
    """Return dbt's own error, or the refusal of a hook, which ends with the command to run first."""
    reason, _, command = f"dbt: {message}".partition("; next: ")
    if _BEHIND in reason:
        return HistoryBehind(reason, command)
    return Refused(reason, command) if command else StepFailed(reason)


def _run_of(result: Any) -> NodeRun:
    started, ended = result.timing[0].started_at, result.timing[-1].completed_at
    return NodeRun(result.node.name, started.replace(tzinfo=UTC), ended.replace(tzinfo=UTC))


def _describe(result: Any) -> str:
    return f"{result.node.resource_type} {result.node.name}: {shown_message(result.message or result.status)}"
