"""Extract a day's sources, two at a time, each with an entry in the ledger."""

import sys
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from threading import Event, Thread
from typing import Any

from ingestion.errors import BadRequest, StepFailed, TradewindsError
from ingestion.extract import extract_source
from ingestion.landing import Landing, Manifest
from ingestion.settings import Home
from ingestion.sources import SOURCES, ApiSource, Source, sources_named
from pipeline.ledger import Record
from pipeline.run.recording import explained, recorded
from pipeline.run.relay import InTurn, Relay
from pipeline.run.reporter import Reporter
from pipeline.run.request import Request
from pipeline.run.worker import Worker, WorkerEnded


@dataclass(frozen=True)
class Manner:
    """Options of an extract: tables, and where to read from."""

    tables: list[str] | None = None
    only_missing: bool = False
    from_raw: bool = False

    @property
    def options(self) -> list[str]:
        """Return the command-line options for it."""
        named = [word for table in self.tables or [] for word in ("--table", table)]
        return [*named, *(["--from-raw"] if self.from_raw else [])]


def extract_sources(request: Request, run_date: str, manner: Manner) -> None:
    """Land the day of every requested source; with `only_missing`, landed days are reused.

    With `from_raw`, the day is rebuilt from its kept answers; raises BadRequest for a source without answers. Failures
    are raised after all sources have run, so that the others needn't be read again.
    """
    if manner.from_raw and not all(isinstance(source, ApiSource) for source in request.sources):
        apis = " or ".join(source.name for source in SOURCES.values() if isinstance(source, ApiSource))
        raise BadRequest(f"--from-raw needs --source {apis}: no other source's answers are kept")
    landing = Landing(request.home)
    with explained(run_date, "extract", request.command("extract", run_date)):
        if caution := landing.caution():
            request.reporter.warn(caution)
    names = [source.name for source in request.sources_of(run_date)]
    for source in request.sources:
        if not source.settings.enabled:
            request.reporter.say(f"{source.name} is left out, because its setting enabled is false")
        elif source.name in request.named_sources and source.name not in names:
            told = "its setting since excludes it, or it has no place"
            request.reporter.say(f"{source.name} isn't part of {run_date}: {told}")
    landed = [name for name in names if manner.only_missing and not landing.faults(name, run_date, read_files=False)]
    with request.reporter.progress() as progress:
        turns = InTurn(request.reporter, names, progress)
        for name in landed:
            with turns.hearing(name) as reporter:
                _note_again(replace(request, reporter=reporter), run_date, name, manner)
        failures = _side_by_side(request, run_date, [name for name in names if name not in landed], manner, turns)
    if failures:
        raise _together(request, run_date, {name: failures[name] for name in names if name in failures}, manner)


def _together(request: Request, run_date: str, failures: dict[str, Exception], manner: Manner) -> Exception:
    """Return a failure that all sources have as it is, else one failure with a finding for each source."""
    first = next(iter(failures.values()))
    findings = [str(error).removeprefix(f"extract {run_date} failed: ") for error in failures.values()]
    if len({*findings}) == 1 or not isinstance(first, TradewindsError):
        return first
    command = Request(request.home, request.target, [*failures]).command("extract", run_date, *manner.options)
    return type(first)(f"extract {run_date} failed for {len(failures)} sources", command, findings=findings)


def _side_by_side(
    request: Request, run_date: str, names: list[str], manner: Manner, turns: InTurn
) -> dict[str, Exception]:
    """Extract several sources two at a time, one here and one in a worker; return the failures.

    A process that has read a database extracts one after the other, because a worker would first have to import what it
    has imported. Never extract in the main thread: there database drivers catch interrupts, and dlt delays them.
    """
    waiting, failures, interrupted = deque(names), {}, Event()
    is_helped = len(names) > 1 and "adbc_driver_postgresql" not in sys.modules

    def work_off(extract_one: Callable[[str, Reporter], None]) -> None:
        while waiting and not interrupted.is_set():
            try:
                name = waiting.popleft()
            except IndexError:  # the other thread was faster
                return
            try:
                with turns.hearing(name) as reporter:
                    extract_one(name, reporter)
            except Exception as error:
                failures[name] = error
                if isinstance(error, WorkerEnded):
                    return

    def extract_here(name: str, reporter: Reporter) -> None:
        def hear(*told: Any) -> None:
            if interrupted.is_set():
                raise StepFailed("interrupted")
            reporter.hear(*told)

        _extract_one(request, run_date, name, manner, reporter=Relay(hear))

    def extract_there(name: str, reporter: Reporter) -> None:
        try:
            worker.call(_extract_one, run_date, name, manner, reporter=reporter)
        except WorkerEnded:
            with explained(run_date, "extract", _command(request, run_date, name, manner), name):
                raise

    ended = []
    try:
        with ExitStack() as held:
            ended.append(start(work_off, extract_here))
            if is_helped:
                same = partial(Request, request.home, request.target, run_at=request.run_at, accepted=request.accepted)
                worker = held.enter_context(Worker("extract", same))
                ended.append(start(work_off, extract_there))
            try:
                for end in ended:
                    end.wait()
            except BaseException:
                interrupted.set()
                raise
    finally:
        # After an interrupt, started work closes in order; `ended_soon` limits the wait.
        for end in ended[:1]:
            end.wait()
    return failures


def start(work: Callable[..., None], *args: Any) -> Event:
    """Do the work in a thread; return an event set at its end, because an interrupted `join` can't be repeated."""
    end = Event()

    def run() -> None:
        try:
            work(*args)
        finally:
            end.set()

    Thread(target=run, daemon=True).start()
    return end


def _extract_one(request: Request, run_date: str, name: str, manner: Manner, *, reporter: Reporter) -> None:
    """Land a source's day and record it in the ledger."""
    request = replace(request, reporter=reporter)
    (source,) = sources_named([name])
    landing = Landing(request.home)
    with recorded(request, run_date, "extract", _command(request, run_date, name, manner), name) as record:
        with _ready(source, request.home):
            if manner.from_raw and isinstance(source, ApiSource):
                source = source.reading_kept(request.home, run_date)
            manifest = extract_source(
                source,
                run_date,
                request.home,
                tables=manner.tables,
                accept_drift="drift" in request.accepted,
                accept_shrink="shrink" in request.accepted,
                on_rows=reporter.counting("extract", name),
            )
        note_landed(record, manifest)
        for warning in record.details["warnings"]:
            request.reporter.warn(warning)
        record.acknowledge(request.accepted, "drift", "shrink")
        if manifest.rejected_rows:
            folder = landing.partition("_rejects", name, run_date)
            kept_in = f"kept in {landing.location(folder)}"
            request.reporter.line("extract", f"{name} rejects", manifest.rejected_rows, None, kept_in)


def _ready(source: Source, home: Home) -> AbstractContextManager[None]:
    """Keep ready during the block what a source needs beyond its place."""
    if source.kind != "people":
        return nullcontext()
    from pipeline.people import people_ready  # a project without people lacks it

    return people_ready(home)


def _note_again(request: Request, run_date: str, name: str, manner: Manner) -> None:
    """Report that a source's day has already landed, and make sure that the ledger has it."""
    manifest = Landing(request.home).landed_manifest(name, run_date)
    request.reporter.line("extract", name, manifest.rows, None, "already landed")
    if not request.ledger.is_done(run_date, "extract", source=name):
        with recorded(request, run_date, "extract", _command(request, run_date, name, manner), name) as record:
            note_landed(record, manifest)


def note_landed(record: Record, manifest: Manifest) -> None:
    """Add what has landed to an extract's ledger entry."""
    record.rows = manifest.rows
    warnings = manifest.warnings + [
        f"{table} was sent with fields that are no columns, and are in the kept answers only: {', '.join(fields)}"
        for table, fields in manifest.undeclared_fields.items()
    ]
    record.details = {
        "rejected_rows": manifest.rejected_rows, "is_sample": manifest.is_sample, "warnings": warnings,
    }  # fmt: skip


def _command(request: Request, run_date: str, name: str, manner: Manner) -> str:
    """Return the command that extracts one source."""
    return Request(request.home, request.target).command("extract", run_date, "--source", name, *manner.options)
