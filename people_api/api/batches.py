"""Batches of rows: valid rows are inserted in one transaction, others are logged, retries are idempotent."""

import hashlib
import json
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Body, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql

from people_api.api.answers import answers
from people_api.api.requests import StrictRoute, TheService
from people_api.database.models import IdempotencyKey
from people_api.intake import Rows, in_transaction, take_in
from people_api.tables import Table

MAX_ROWS = 1_000

IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern="^[!-~]+$",
        description="Any value, new for each batch. A retry of the same batch with the same key gets the same answer.",
    ),
]


class Reject(BaseModel):
    """A rejected row: its position in the batch, from 1, and every reason."""

    row: Annotated[int, Field(examples=[2])]
    reasons: Annotated[list[str], Field(examples=[["name: missing", "job_id: jobs has no 999"]])]


class BatchAnswer(BaseModel):
    """The result of a batch: accepted plus rejected rows are the rows sent."""

    batch_id: str
    accepted: int
    rejected: int
    rejects: list[Reject]


def batches_router(table: Table, examples: list[dict[str, Any]]) -> APIRouter:
    """Return the batch route of a table."""
    router = APIRouter(prefix=f"/v1/{table.name}", tags=[table.name], route_class=StrictRoute)
    described = f"1 to {MAX_ROWS:,} rows. Each is validated by itself, so this schema allows anything."
    RowsOfBatch = Annotated[  # noqa: N806
        list[Any], Body(min_length=1, max_length=MAX_ROWS, description=described, examples=[examples])
    ]

    @router.post(
        "/batch", summary=f"Insert many {table.name}", response_model=BatchAnswer, responses=answers(403, 409, 422)
    )
    def insert_batch(
        rows: RowsOfBatch, request: Request, service: TheService, idempotency_key: IdempotencyKeyHeader = None
    ) -> JSONResponse:
        """Valid rows are inserted in one transaction. The answer tells of the others, which are logged, why."""
        notes, texts = request.scope["notes"], request.scope["texts"]
        digest = hashlib.sha256(table.name.encode() + request.scope["body_sha256"]).digest()

        def take(connection: Connection) -> dict[str, Any]:
            if idempotency_key is None:
                return _take(connection, table, rows, texts)
            earlier = _claim(connection, notes["key_id"], idempotency_key, digest)
            if earlier is not None:
                return earlier
            answer = _take(connection, table, rows, texts)
            _remember(connection, notes["key_id"], idempotency_key, answer)
            return answer

        answer = in_transaction(service.engine, take)
        counts = {"accepted": answer["accepted"], "rejected": answer["rejected"]}
        notes |= {"batch_id": answer["batch_id"], "table": table.name} | counts
        for verdict, count in counts.items():
            service.metrics.rows.labels(table.name, verdict).inc(count)
        return JSONResponse(answer)

    return router


def _take(connection: Connection, table: Table, rows: list[Any], texts: list[str]) -> dict[str, Any]:
    batch_id = uuid4()
    outcome = take_in(connection, Rows(table, batch_id, "api", rows, texts))
    return {
        "batch_id": str(batch_id),
        "accepted": outcome.accepted,
        "rejected": len(outcome.rejects),
        "rejects": [{"row": row, "reasons": reasons} for row, reasons in outcome.rejects.items()],
    }


def _claim(connection: Connection, key_id: str, key: str, digest: bytes) -> dict[str, Any] | None:
    """Claim the idempotency key, waiting for another transaction that has it; return its earlier answer."""
    claim = postgresql.insert(IdempotencyKey).values(api_key_id=key_id, key=key, request_sha256=digest)
    # By RETURNING, because SQLAlchemy doesn't count inserted rows.
    if connection.execute(claim.on_conflict_do_nothing().returning(IdempotencyKey.key)).first():
        return None
    used = connection.execute(
        select(IdempotencyKey.request_sha256, IdempotencyKey.answer).where(
            IdempotencyKey.api_key_id == key_id, IdempotencyKey.key == key
        )
    ).one()
    if used.request_sha256 != digest:
        raise HTTPException(409, "this Idempotency-Key was used for another batch")
    return json.loads(used.answer)


def _remember(connection: Connection, key_id: str, key: str, answer: dict[str, Any]) -> None:
    connection.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.api_key_id == key_id, IdempotencyKey.key == key)
        .values(answer=json.dumps(answer))
    )
