"""The tools and resources of the server; each answers with JSON, or with one sentence that says why not."""

import atexit
import os
import re
import resource
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from importlib import metadata
from threading import Lock, Thread
from typing import Any, NoReturn, ParamSpec

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp.types import ToolAnnotations

from ingestion.errors import StepFailed, TradewindsError
from ingestion.redact import one_line
from pipeline.cli.agents.metrics import Metrics
from pipeline.cli.json_values import to_json
from pipeline.ledger import STEPS
from pipeline.ledger.status import day_entries, is_complete, last_days
from pipeline.publishing import open_publisher
from pipeline.publishing.limits import Limits
from pipeline.run.asking import answering, describe_mart, list_marts
from pipeline.run.dates import parse_run_date
from pipeline.run.request import Request
from pipeline.site.lineage import read_tables, trace

_INSTRUCTIONS = (
    "The published marts of a data warehouse, read-only. Begin with list_marts, then describe_mart for columns and "
    "their meaning. A metric's definition is agreed on: prefer query_metrics to SQL where a metric fits."
)
_CHARACTERS = 100_000
# What this process may allocate: an answer's values aren't part of DuckDB's own limit.
_MEMORY = 2 << 30
_REJECTED = """
select run_date, source, table_name, rule, count(*) as rejected_rows
from quarantine.rejected_rows
group by run_date, source, table_name, rule
order by run_date desc, source, table_name, rule
"""
_FOLDERS = re.compile(r"(?<![\w./])/(?:[^\s/'\"]+/)+")
_Given = ParamSpec("_Given")


class MartServer:
    """Serves one request's target until its client leaves; one question at a time, because DuckDB opens a file once."""

    def __init__(self, request: Request, max_rows: int, max_seconds: float):
        self._request, self._rows, self._limits = request, max_rows, Limits(max_seconds)
        self._metrics, self._turn = Metrics(request), Lock()
        version = metadata.version("tradewinds")
        self._server = MCPServer("tradewinds", instructions=_INSTRUCTIONS, version=version, log_level="WARNING")
        reads = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
        for work in (
            self.list_marts, self.describe_mart, self.query, self.list_metrics, self.query_metrics, self.lineage,
            self.days, self.rejected_rows,
        ):  # fmt: skip
            self._server.add_tool(self._guarded(work, ToolError), annotations=reads, structured_output=False)
        for place, work in (("marts", self.list_marts), ("marts/{mart}", self.describe_mart)):
            add = self._server.resource(f"tradewinds://{place}", mime_type="application/json")
            add(self._guarded(work, ResourceError))

    def serve(self) -> None:
        """Serve on standard input and output until the input ends, Ctrl-C or SIGTERM.

        The server's threads wait for input that nothing can interrupt, so they belong to a thread that ends with us.
        """
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY if most < 0 else min(_MEMORY, most), most))
        failures: list[BaseException] = []

        def work() -> None:
            try:
                self._server.run("stdio")
            except BaseException as error:
                failures.append(error)

        serving = Thread(target=work, daemon=True)
        serving.start()
        with suppress(KeyboardInterrupt, SystemExit):
            serving.join()
        self._limits.ended.set()
        self._turn.acquire(timeout=1)
        if failures:
            raise StepFailed(f"the client went away: {one_line(failures[0])}") from failures[0]

    def list_marts(self) -> str:
        """List the published marts, what one row of each is, and the version and run date that they belong to."""
        marts = [{"mart": mart, "one_row_is": grain} for mart, grain in list_marts(self._request)]
        version = open_publisher(self._request.target, self._request.home).current()
        return to_json({"version": version and version.name, "run_date": version and version.run_date, "marts": marts})

    def describe_mart(self, mart: str) -> str:
        """Describe a mart: one row's meaning, the key, and each column's type and meaning."""
        found, described = describe_mart(self._request, mart)
        columns = [dict(zip(("column", "type", "description"), column, strict=True)) for column in described]
        head = {"relation": found.relation, "key": found.key, "description": found.description}
        return to_json(head | {"columns": columns})

    def query(self, sql: str, limit: int | None = None) -> str:
        """Run one SELECT on the published marts, named schema.table. `is_cut` says whether rows are left out."""
        with answering(self._request, sql, self._limits) as answer:
            rows: list[tuple] = []
            length = 0
            most = min(max(limit or self._rows, 1), self._rows)
            for row in answer.rows:
                length += len(to_json(row))
                if len(rows) == most or length > _CHARACTERS:
                    note = f"only the first {len(rows):,} rows: aggregate, or select fewer columns"
                    return to_json({"columns": answer.columns, "rows": rows, "is_cut": True, "note": note})
                rows.append(row)
            return to_json({"columns": answer.columns, "rows": rows, "is_cut": False})

    def list_metrics(self) -> str:
        """List the metrics with their definitions and what each can be grouped by."""
        return to_json(self._metrics.listed())

    def query_metrics(self, metrics: list[str], group_by: list[str] | None = None, limit: int | None = None) -> str:
        """Return metrics by dimensions. Times take a grain: metric_time__day, __week, __month, __quarter, __year."""
        # One row more than is shown says whether there are more.
        return self.query(self._metrics.statement(metrics, group_by or [], self._rows + 1), limit)

    def lineage(self, mart: str, column: str | None = None) -> str:
        """Tell what a table reads, what reads it and what its columns are made of, or follow a column down."""
        return to_json(trace(read_tables(self._request.home), mart.rpartition(".")[2], column))

    def days(self, run_date: str | None = None) -> str:
        """Tell the state of the last 14 run dates' steps, or everything recorded about one run date."""
        ledger, target = self._request.ledger, self._request.target
        if run_date:
            return to_json(list(day_entries(ledger, parse_run_date(run_date), target)))
        states = {day: [ledger.read(day, step, target) for step in STEPS] for day in last_days(ledger)}
        return to_json(
            {
                day: {"is_complete": is_complete(ledger, day, target)}
                | {step: entry["state"] if entry else "not run" for step, entry in zip(STEPS, entries, strict=True)}
                for day, entries in states.items()
            }
        )

    def rejected_rows(self) -> str:
        """Count the rows that couldn't be read or broke a rule, by run date, source, table and rule."""
        return self.query(_REJECTED)

    def _guarded(self, work: Callable[_Given, str], failure: type[Exception]) -> Callable[_Given, str]:
        """Let one call work at a time, and make its failure one sentence without folders, secrets or traceback."""

        @wraps(work)
        def run(*args: _Given.args, **given: _Given.kwargs) -> str:
            with self._turn:
                try:
                    return work(*args, **given)
                except TradewindsError as error:
                    reason = f"{error.reason}; run: {error.command}" if error.command else error.reason
                    raise failure(_sentence(TradewindsError(reason))) from None
                except Exception as error:
                    raise failure(f"{type(error).__name__}: {_sentence(error)}") from None

        return run


def _sentence(error: Exception) -> str:
    return _FOLDERS.sub("", one_line(error))


def end_now() -> NoReturn:
    """End this process: tidying up may take longer than a client waits, and DuckDB would list what threads hold."""
    atexit._run_exitfuncs()
    os._exit(0)


def serve_marts(request: Request, max_rows: int, max_seconds: float, say: Callable[[str], Any]) -> None:
    """Serve a request's published marts to one client; `say` is told that it has begun."""
    say(f"answering on standard input and output, {max_rows} rows and {max_seconds:g} s a query; stop with Ctrl-C")
    MartServer(request, max_rows, max_seconds).serve()
