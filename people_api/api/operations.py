"""Routes to operate the service: health, metrics, rejected rows, backups and restores."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, text

from people_api.api.answers import answers
from people_api.api.gate import METRICS_PATH
from people_api.api.requests import Page, Shown, StrictRoute, TheService
from people_api.backups import Backup, back_up, restore
from people_api.database.models import RejectedRow

router = APIRouter(route_class=StrictRoute)
BackedUpTable = Literal["departments", "jobs", "employees", "rejected_rows"]


class Health(BaseModel):
    """The service and its database are up."""

    status: Literal["ok"] = "ok"


class RejectsQuery(Page):
    """A selection of rejected rows."""

    table: Literal["departments", "jobs", "employees"] | None = None
    batch_id: UUID | None = None


class LoggedReject(BaseModel):
    """A rejected row as received, with every reason."""

    batch_id: Shown
    table: str
    source: str
    row: int
    payload: str
    reasons: list[str]
    rejected_at: Shown


class RejectsPage(BaseModel):
    """A page of rejected rows, oldest first, and their total number."""

    items: list[LoggedReject]
    total: int
    limit: int
    offset: int


class BackupAnswer(BaseModel):
    """A backup: its file, its rows, and the file's SHA-256."""

    table: str
    name: str
    rows: int
    sha256: str


class RestoreRequest(BaseModel):
    """The file name of the backup to restore; the default is the newest."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str | None, Field(min_length=1, max_length=200)] = None


@router.get("/healthz", tags=["operations"], summary="Say whether the service can work", responses=answers())
def say_health(service: TheService) -> Health:
    """It answers 200 once the database does, and needs no key."""
    with service.engine.connect() as connection:
        connection.execute(text("select 1"))
    return Health()


@router.get(
    METRICS_PATH,
    tags=["operations"],
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def say_metrics(service: TheService) -> Response:
    """Counts of requests and rows, and the time that requests took, as text."""
    return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@router.get(
    "/v1/rejects",
    tags=["rejects"],
    summary="List rejected rows",
    responses=answers(422),
    response_model=RejectsPage,
)
def list_rejects(query: Annotated[RejectsQuery, Query()], service: TheService) -> dict[str, Any]:
    """The oldest first, of all tables and batches or of one."""
    named = (RejectedRow.table_name.label("table"), RejectedRow.row_number.label("row"))
    wanted = select(RejectedRow.__table__, *named)
    if query.table:
        wanted = wanted.where(RejectedRow.table_name == query.table)
    if query.batch_id:
        wanted = wanted.where(RejectedRow.batch_id == query.batch_id)
    return query.read(service, wanted)


@router.post(
    "/v1/backups/{table}",
    status_code=201,
    tags=["backups"],
    summary="Back a table up",
    responses=answers(403, 422),
    response_model=BackupAnswer,
)
def make_backup(table: BackedUpTable, service: TheService) -> Backup:
    """The backup has all rows of one moment."""
    return back_up(service.engine, table, service.backups)


@router.post(
    "/v1/restores/{table}",
    tags=["backups"],
    summary="Replace a table by a backup of it",
    responses=answers(403, 404, 409, 422),
    response_model=BackupAnswer,
)
def restore_backup(table: BackedUpTable, service: TheService, wanted: RestoreRequest | None = None) -> Backup:
    """All rows are replaced in one transaction, or none: a restore that contradicts other tables is refused."""
    return restore(service.engine, table, service.backups, wanted.name if wanted else None)
