"""Tell OpenLineage what each step of a day read and wrote."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid5

from ingestion.landing import Landing
from ingestion.settings import database_url, people_database_url, source_setting
from ingestion.sources import Source, sources_named
from pipeline.dbt import BuildResult
from pipeline.dbt.project import exports, published_marts
from pipeline.ledger import FINISHED, Record
from pipeline.openlineage import Dataset, emit, run_event
from pipeline.publishing import open_publisher
from pipeline.run.request import Request

_STATES = {"done": "COMPLETE", "skipped": "COMPLETE", "failed": "FAIL", "refused": "FAIL"}


def tell_start(request: Request, record: Record, run_date: str, step: str, source: str | None) -> None:
    """Tell that a step begins."""
    _emit(request, run_date, lambda: [run_event("START", _now(), run_date, record.run_id, _job(step, source))])


def tell_end(request: Request, record: Record, run_date: str, step: str, source: str | None) -> None:
    """Tell how a step has ended, and what it read and wrote; a wrong request is an ABORT."""

    def events() -> Iterator[dict[str, Any]]:
        entry = record.entry or {"state": "aborted", "error": None}
        read, written = _datasets(request, run_date, step, source, entry) if entry["state"] in FINISHED else ([], [])
        state = _STATES.get(entry["state"], "ABORT")
        job, error = _job(step, source), entry["error"]
        yield run_event(state, _now(), run_date, record.run_id, job, error=error, inputs=read, outputs=written)

    _emit(request, run_date, events)


def tell_models(request: Request, record: Record, run_date: str, result: BuildResult) -> None:
    """Tell what each built model, seed and snapshot was made of, table by table and column by column."""
    tables = {table.name: table for table in result.tables}
    namespace, parent = request.warehouse.namespace[0], (record.run_id, "build")

    def origins(column: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
        return [(namespace, tables[name].relation, field) for name, field in column]

    def events() -> Iterator[dict[str, Any]]:
        for run in result.runs:
            table, run_id, job = tables.get(run.name), uuid5(record.run_id, run.name), f"build.{run.name}"
            yield run_event("START", run.started, run_date, run_id, job, parent=parent)
            read, written = [], []
            if table:
                made_of = {name: origins(column) for name, column in table.columns.items()}
                read = [Dataset(namespace, tables[name].relation) for name in table.reads]
                written = [Dataset(namespace, table.relation, table.types, made_of=made_of)]
            yield run_event(
                "COMPLETE", run.ended, run_date, run_id, job, parent=parent, inputs=read, outputs=written
            )  # fmt: skip

    _emit(request, run_date, events)


def _emit(request: Request, run_date: str, events: Any) -> None:
    emit(request.home.runs / run_date, events, lambda text: request.reporter.warn(text, once=True))


def _datasets(
    request: Request, run_date: str, step: str, source: str | None, entry: dict[str, Any]
) -> tuple[list[Dataset], list[Dataset]]:
    """Return what a finished step read and wrote."""
    if step == "extract" and source:
        of_source = list(_landed(request, run_date, sources_named([source])))
        return [origin for origin, _, _ in of_source], [landed for _, landed, _ in of_source]
    if step in ("load", "check_arrivals", "build"):
        landed = list(_landed(request, run_date, request.sources_of(run_date)))
        raw = [table for _, _, table in landed]
        if step == "load":
            return [table for _, table, _ in landed], raw
        return raw, [*_built(request).values()] if step == "build" else []
    built = _built(request)
    return [*built.values()], _published(request, entry, built) if step == "publish" else []


def _landed(request: Request, run_date: str, sources: list[Source]) -> Iterator[tuple[Dataset, Dataset, Dataset]]:
    """Yield each landed table as it is in its source, in landing and in raw, each a copy of the one before."""
    landing, (namespace, database) = Landing(request.home), request.warehouse.namespace
    for source in sources:
        manifest = landing.manifest(source.name, run_date)
        for name, table in (manifest.tables if manifest else {}).items():
            columns: dict[str, str | None] = {column.name: column.type for column in table.columns}
            place = _origin(source, name, is_sample=bool(manifest and manifest.is_sample))
            origin = Dataset(*place, columns, table.read_rows)
            landed = Dataset(*_stored(f"{request.home.landing}/{source.area}/{name}"), columns, table.rows)
            raw = Dataset(namespace, f"{database}.{source.raw_schema}.{name}", columns, table.rows)
            yield origin, landed.copied_from(origin), raw.copied_from(landed)


def _origin(source: Source, table: str, *, is_sample: bool) -> tuple[str, str]:
    """Return the namespace and name of a source's table; an API's host isn't stored anywhere, so neither here."""
    kind = source.kind
    if is_sample:
        return "tradewinds-sample", f"{source.name}.{table}"
    if url := people_database_url() if kind == "people" else database_url(source.name) if kind == "postgres" else None:
        parts = urlsplit(url)
        schema = source_setting(source.name, "schema", "public")
        return f"postgres://{parts.hostname}:{parts.port or 5432}", f"{parts.path.strip('/')}.{schema}.{table}"
    if kind == "csv":
        return _stored(str(source_setting(source.name, "path")))
    return kind, f"{source.name}.{table}"


def _stored(location: str) -> tuple[str, str]:
    """Return the namespace and name of a path or an s3:// URL."""
    parts = urlsplit(location)
    return (f"s3://{parts.netloc}", parts.path.strip("/")) if parts.scheme == "s3" else ("file", location)


def _built(request: Request) -> dict[str, Dataset]:
    """Return the built marts and snapshots, by name."""
    namespace, database = request.warehouse.namespace
    return {
        mart.relation: Dataset(
            namespace,
            f"{database}.{request.warehouse.built_relation(mart.relation)}".replace('"', ""),
            {column.name: column.type for column in mart.columns},
        )
        for mart in published_marts()
    }


def _published(request: Request, entry: dict[str, Any], built: dict[str, Dataset]) -> list[Dataset]:
    """Return the published marts and the exported files; none of the marts if the publish left a newer version."""
    namespace, database = open_publisher(request.target, request.home).namespace
    marts = [
        Dataset(namespace, f"{database}.{mart}", built[mart].columns, rows).copied_from(built[mart])
        for mart, rows in entry.get("marts", {}).items()
    ]
    files = [
        Dataset(*_stored(f"{request.home.exports}/{export.name}.{format_}"))
        for export in exports()
        for format_ in export.formats
    ]
    return marts + files


def _job(step: str, source: str | None) -> str:
    return f"{step}.{source}" if source else step


def _now() -> datetime:
    return datetime.now(UTC)
