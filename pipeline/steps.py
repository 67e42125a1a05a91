"""The steps of a day, each with its gate; none does another's work."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa

from ingestion.errors import BadRequest, Refused, StepFailed, TradewindsError
from ingestion.extract import extract_source
from ingestion.landing import Landing, Manifest
from ingestion.load import load_sources
from ingestion.redact import one_line
from ingestion.warehouse import PIPELINE_STEPS
from pipeline.dbt import BuildResult
from pipeline.exports import write_exports
from pipeline.ledger import Record
from pipeline.project import published_relations
from pipeline.publishing import open_publisher
from pipeline.request import Request


def extract(
    request: Request,
    run_date: str,
    *,
    tables: list[str] | None = None,
    accept_drift: bool = False,
    accept_shrink: bool = False,
    only_missing: bool = False,
) -> None:
    """Land the day of every source asked for; with `only_missing`, whole landed days are taken as they are."""
    landing = Landing(request.home.landing)
    for source in request.sources:
        options = ["--source", source.name]
        for table in tables or []:
            options += ["--table", table]
        command = Request(request.home, request.target).command("extract", run_date, *options)
        if only_missing and not landing.faults(source.name, run_date, read_files=False):
            manifest = landing.manifest(source.name, run_date)
            request.reporter.line("extract", source.name, manifest.rows, None, "already landed")
            if not request.ledger.is_done(run_date, "extract", source.name):
                with _recorded(request, run_date, "extract", command, source.name) as record:
                    _note(record, manifest)
            continue
        with _recorded(request, run_date, "extract", command, source.name) as record:
            with request.reporter.tables("extract", source.name) as on_rows:
                manifest = extract_source(
                    source,
                    run_date,
                    request.home,
                    tables=tables,
                    accept_drift=accept_drift,
                    accept_shrink=accept_shrink,
                    on_rows=on_rows,
                )
            _note(record, manifest)
            if manifest.rejected_rows:
                kept_in = f"kept in {landing.partition('_rejects', source.name, run_date)}"
                request.reporter.line("extract", f"{source.name} rejects", manifest.rejected_rows, None, kept_in)


def load(request: Request, run_date: str) -> None:
    """Take the landed day into raw; refused unless every source asked for has landed whole."""
    with _recorded(request, run_date, "load", request.command("load", run_date)) as record:
        with _timed(request, "load", f"raw, {len(request.sources)} sources") as finished:
            rows = load_sources(request.sources, run_date, request.home, request.warehouse)
            finished(sum(rows.values()), f"{len(rows)} tables")
        record_steps(request)
        record.rows = sum(rows.values())


def build(request: Request, run_date: str) -> BuildResult:
    """Run dbt for the day, history first where it is behind; refused unless the day is loaded, and loaded well."""
    with _recorded(request, run_date, "build", request.command("build", run_date)) as record:
        _refuse_unloaded(request, run_date)
        record_steps(request)
        select = request.dbt.nodes_of_sources(request.named_sources) if request.named_sources else []
        with _timed(request, "build", "dbt") as finished:
            try:
                for day in request.dbt.history_gaps(run_date):
                    request.dbt.replay_history(day)
                    request.reporter.line("build", f"history of {day}", None, None, "replayed")
                result = request.dbt.build(
                    run_date,
                    select=select,
                    on_node=lambda name, status, seconds: _report_node(request, name, status, seconds),
                )
            finally:
                request.warehouse.release()
            finished(None, ", ".join(f"{count} {status}" for status, count in sorted(result.counts.items())))
        record.details = {"nodes": result.counts, "warnings": result.warnings}
        for warning in result.warnings:
            request.reporter.say(f"warning  {warning}")
    return result


def record_steps(request: Request) -> None:
    """Hand the ledger over to the warehouse, for the marts that tell about runs."""
    request.warehouse.record_steps(pa.Table.from_pylist(request.ledger.entries(), schema=PIPELINE_STEPS))


def publish(request: Request, run_date: str, *, allow_older: bool = False) -> None:
    """Write the day's exports and put its marts before readers; an older day than the published one only exports."""
    with _recorded(request, run_date, "publish", request.command("publish", run_date)) as record:
        _refuse_unbuilt(request, run_date)
        publisher = open_publisher(request.target, request.home)
        for name, rows in write_exports(request.warehouse, run_date, request.home).items():
            request.reporter.line("export", f"exports/{run_date}/{name}", rows, None)
        inputs = Landing(request.home.landing).fingerprint(run_date)
        current = publisher.current()
        if current and current.run_date > run_date and not allow_older:
            request.reporter.line(
                "publish",
                current.name,
                None,
                None,
                f"left as it is: newer than {run_date} (--allow-older replaces it)",
            )
            record.details = {"inputs": inputs, "version": None}
            return
        with _timed(request, "publish", "marts") as finished:
            version, rows = publisher.publish(run_date, published_relations())
            finished(sum(rows.values()), version.name)
        record.rows = sum(rows.values())
        record.details = {"inputs": inputs, "version": version.name, "marts": rows}


def _note(record: Record, manifest: Manifest) -> None:
    record.rows = manifest.rows
    record.details = {"rejected_rows": manifest.rejected_rows, "is_sample": manifest.is_sample}


def _refuse_unloaded(request: Request, run_date: str) -> None:
    command = request.command("load", run_date)
    loaded = request.warehouse.loaded_runs(run_date)
    missing = [source.name for source in request.sources if source.name not in loaded]
    if missing:
        raise Refused(f"{', '.join(missing)} not loaded for this day", command)
    last = request.ledger.read(run_date, "load")
    if last and last["target"] == request.target and last["state"] != "done":
        raise Refused(f"the last load of this day is {last['state']}", command)


def _refuse_unbuilt(request: Request, run_date: str) -> None:
    mark = request.warehouse.build_mark()
    command = request.command("build", run_date)
    if mark is None:
        raise Refused("nothing has been built yet", command)
    if mark.run_date != run_date:
        raise Refused(f"the marts are those of {mark.run_date}", command)
    if mark.state != "built":
        reasons = {
            "building": "the last build was cut off",
            "failed": "the last build failed",
            "partial": "only a part of the project was built",
            "stale": "this day or an earlier one was loaded anew after the build",
        }
        raise Refused(reasons.get(mark.state, f"the build is {mark.state}"), command)


def _report_node(request: Request, name: str, status: str, seconds: float) -> None:
    if status == "success":
        request.reporter.line("build", name, None, seconds)
    elif status not in ("pass", "skipped"):
        request.reporter.line("build", name, None, seconds, status)


@contextmanager
def _recorded(request: Request, run_date: str, step: str, command: str, source: str | None = None) -> Iterator[Record]:
    """Keep the ledger, and end any failure as one line: step, date, reason, and what to type next."""
    try:
        with request.ledger.recording(run_date, step, command, request.target, source) as record:
            yield record
    except BadRequest:
        raise
    except TradewindsError as error:
        ended = "refused" if isinstance(error, Refused) else "failed"
        named = f"{source}: " if source and not error.reason.startswith(source) else ""
        line = f"{step} {run_date} {ended}: {named}{error.reason}"
        raise type(error)(line, error.command or command) from error
    except Exception as error:
        line = f"{step} {run_date} failed: {type(error).__name__}: {one_line(error)}"
        raise StepFailed(line, command) from error


@contextmanager
def _timed(request: Request, step: str, name: str) -> Iterator[Callable[[int | None, str], None]]:
    """Print one line when the block has said what came of it."""
    started = time.monotonic()
    yield lambda rows, note: request.reporter.line(step, name, rows, time.monotonic() - started, note)
