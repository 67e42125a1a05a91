"""The steps of a day after the extract, each with its gate; none does another's work."""

import os
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from ingestion.landing import Landing
from ingestion.load import load_sources, record_source_days
from ingestion.warehouse import PIPELINE_STEPS, BuildMark
from pipeline.dbt import BuildResult
from pipeline.dbt.project import Mart, published_marts
from pipeline.ledger import Record
from pipeline.publishing import Publisher, Version, iceberg, open_publisher
from pipeline.publishing.changes import Change
from pipeline.run import gates
from pipeline.run.exports import write_exports
from pipeline.run.judged import count_by_source
from pipeline.run.lineage import tell_models
from pipeline.run.prepared import build_day, check_stage
from pipeline.run.recording import explained, recorded, timed
from pipeline.run.request import Request


def load(request: Request, run_date: str) -> None:
    """Load the landed day into raw; refused unless every requested source has landed completely."""
    before = request.ledger.read(run_date, "load", request.target) or {}
    with recorded(request, run_date, "load", request.command("load", run_date)) as record:
        # A load of some sources leaves the others' rows.
        record.details["loaded"] = loaded = before.get("loaded", {}) if request.named_sources else {}
        sources = request.sources_of(run_date)
        with timed(request, "load", f"raw, {len(sources)} sources") as finished:
            rows = load_sources(sources, run_date, request.home, request.warehouse)
            finished(sum(rows.values()), f"{len(rows)} tables")
        record_source_days(request.warehouse)
        record_steps(request)
        loaded |= rows
        record.rows = sum(loaded.values())


def build(request: Request, run_date: str) -> BuildResult:
    """Run dbt for the day, and first replay history if it is behind; refused unless the day is loaded."""
    before = request.ledger.read(run_date, "build", request.target) or {}
    with recorded(request, run_date, "build", request.command("build", run_date)) as record:
        gates.refuse_failed_arrivals(request, run_date, gates.refuse_unloaded(request, run_date))
        record_source_days(request.warehouse)
        record_steps(request)
        with timed(request, "build", "dbt") as finished:
            result = request.call("dbt", build_day, run_date, request.named_sources)
            finished(None, ", ".join(f"{count} {status}" for status, count in sorted(result.counts.items())))
        record.details = {"nodes": result.counts, "warnings": result.warnings}
        tell_models(request, record, run_date, result)
        if mark := request.warehouse.build_mark():
            record.details["built"] = _each_source(request, run_date, mark)
        counted_of, rejected = request.warehouse.loaded_runs(run_date), count_by_source(request, run_date)
        if rejected is None and before.get("counted_of") == counted_of:
            rejected = before.get("rejected")  # a build of some sources leaves the quarantine as it was
        if rejected is not None:
            total = sum(rejected.values())
            record.details |= {"rejected": rejected, "rejected_rows": total, "counted_of": counted_of}
        for warning in result.warnings:
            request.reporter.warn(warning)
    return result


def record_steps(request: Request, publishing: str | None = None) -> None:
    """Copy the ledger to the warehouse, for the marts that describe runs.

    A build can't tell how it ended. So a publish copies the ledger into the mart, too, and itself as done: readers see
    the entry only if it is.
    """
    done = (publishing, "publish", request.target) if publishing else None
    entries = request.ledger.entries(done=done)
    request.warehouse.record_steps(pa.Table.from_pylist(entries, schema=PIPELINE_STEPS))
    if publishing:
        request.warehouse.refresh("ops.fct_pipeline_steps", "staging.stg_ops__pipeline_steps")


def check(request: Request, run_date: str, stage: str = "marts") -> None:
    """Validate arrivals, or the built marts, against the suites; raises StepFailed when an expectation fails.

    The marts depend on the arrivals, which are checked first if they haven't been since the load.
    """
    if stage == "marts" and not gates.arrivals_are_checked(request, run_date):
        check(request, run_date, "arrivals")
    before = gates.passed(request, run_date, stage)
    with recorded(request, run_date, f"check_{stage}", gates.check_command(request, run_date, stage)) as record:
        record.acknowledge(request.accepted, "shrink", "stale")
        sources = gates.refuse_unruled(request, run_date, stage)
        if stage == "marts":
            stands_on = _each_source(request, run_date, gates.refuse_unbuilt(request, run_date))
        else:
            stands_on = gates.refuse_unloaded(request, run_date)
        record.details["stands_on"] = stands_on
        _run_suites(request, run_date, stage, sources, record)
        record.details["stands_on"] = before | stands_on


def publish(request: Request, run_date: str, *, allow_older: bool = False, dry_run: bool = False) -> None:
    """Write the day's exports and publish its marts; a day older than the published one is only exported.

    The changes for readers are printed first; `dry_run` does nothing else. A version has the marts of all sources.
    """
    request = request.whole
    command = request.command("publish", run_date)
    if dry_run:
        with explained(run_date, "publish", command):
            gates.refuse_unchecked(request, run_date, gates.refuse_unbuilt(request, run_date))
            publisher, marts = open_publisher(request.target, request.home), published_marts()
            with request.reporter.working("publish", "what changes"):
                found = publisher.changes(marts)
            changes = _report_changes(request, run_date, publisher.current(), marts, found)
        request.reporter.tell(run_date=run_date, step="publish", state="dry run", changes=changes)
        return
    with recorded(request, run_date, "publish", command) as record:
        gates.refuse_unchecked(request, run_date, gates.refuse_unbuilt(request, run_date))
        publisher, marts = open_publisher(request.target, request.home), published_marts()
        record.details = {"inputs": Landing(request.home).fingerprint(run_date), "version": None}
        current = publisher.current()
        newer = current if current and current.run_date > run_date and not allow_older else None
        if not newer:
            record_steps(request, publishing=run_date)
        # Both only read the marts; writing long files is mostly a wait for the disk.
        with ThreadPoolExecutor(1) as beside, request.reporter.working("publish", "exports, and what changes"):
            comparing = None if newer else beside.submit(publisher.changes, marts)
            exported = write_exports(request.warehouse, run_date, request.home)
            found = comparing.result() if comparing else []
        request.reporter.line("export", f"{request.home.exports}/{run_date}", None, None)
        for name, count in exported.items():
            request.reporter.line("export", name, count, None)
        if newer:
            record.state = "skipped"
            note = f"left as it is: newer than {run_date} (--allow-older replaces it)"
            request.reporter.line("publish", newer.name, None, None, note)
            return
        record.details["changes"] = _report_changes(request, run_date, current, marts, found)
        with timed(request, "publish", "marts") as finished:
            version, rows = publisher.publish(run_date, marts)
            finished(sum(rows.values()), version.name)
        _mirror(request, publisher)
        record.rows = sum(rows.values())
        record.details |= {"version": version.name, "marts": rows}


def rollback(request: Request, to: str | None = None) -> None:
    """Publish the previous version, or the named one, again."""
    with timed(request, "rollback", "marts") as finished:
        publisher = open_publisher(request.target, request.home)
        version = publisher.rollback(to)
        finished(None, version.name)
    _mirror(request, publisher)
    request.reporter.tell(run_date=version.run_date, step="rollback", state="done", version=version.name)


def _mirror(request: Request, publisher: Publisher) -> None:
    """Write the published version into the Iceberg catalog, if one is set."""
    if catalog := os.environ.get(iceberg.SETTING):
        with timed(request, "publish", f"Iceberg catalog {catalog}") as finished:
            iceberg.mirror_version(catalog, publisher)
            finished(None, "")


def _each_source(request: Request, run_date: str, mark: BuildMark) -> dict[str, str]:
    """Return the id of a build by source of the request."""
    return {source.name: mark.build_id for source in request.sources_of(run_date)}


def _run_suites(request: Request, run_date: str, stage: str, sources: list[str], record: Record) -> None:
    from pipeline.checks import refuse_critical

    with timed(request, "check", stage) as finished:
        accepted = frozenset(record.details.get("accepted", []))
        home, warehouse = request.home, request.warehouse
        result = request.call("checks", check_stage, stage, warehouse, home, run_date, sources, accepted)
        finished(None, f"{result.passed} met, {result.failed} not met")
    warnings = [str(finding) for finding in result.warnings]
    record.details |= {"expectations": result.passed + result.failed, "warnings": warnings}
    for warning in warnings:
        request.reporter.warn(warning)
    refuse_critical(result)


def _report_changes(
    request: Request, run_date: str, current: Version | None, marts: list[Mart], found: list[Change]
) -> dict[str, str]:
    """Print a publish's changes for readers, one mart a line; return them by mart.

    Rows that are published already stay, and with them what tells how they came about.
    """
    operations = {mart.relation for mart in marts if mart.is_of_operations}
    changes = [change for change in found if change]
    if current and current.run_date == run_date and operations.issuperset(change.mart for change in changes):
        changes = []
    for change in changes:
        request.reporter.line("change", change.mart, None, None, change.describe())
    if not changes:
        request.reporter.line("change", "none", None, None, "readers see these rows already")
    return {change.mart: change.describe() for change in changes}
