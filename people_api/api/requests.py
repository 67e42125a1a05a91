"""Parse requests strictly: JSON bodies, numbers in paths and queries, no unknown names. Read pages of stored rows."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import Select, func, select
from starlette.responses import Response

from people_api.api.service import Service
from people_api.api.strict_json import read_json
from people_api.dictionary import MAX_ID
from people_api.judge import Unreadable


class _StrictRequest(Request):
    async def json(self) -> Any:
        body = await self.body()
        self.scope["body_sha256"] = hashlib.sha256(body).digest()
        try:
            value, self.scope["texts"] = read_json(body)
        except ValueError as error:
            raise json.JSONDecodeError(str(error), "", 0) from error
        if isinstance(value, Unreadable):
            raise json.JSONDecodeError("a field is named twice", "", 0)
        return value


class StrictRoute(APIRoute):
    """A route that parses bodies with `read_json`."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


def _digits(value: Any) -> Any:
    """Refuse numbers that Python would accept but nobody means: 1_000, " 7", 7.0."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) <= 10):
        raise ValueError("not a whole number in digits")
    return value


Digits = BeforeValidator(_digits)
RowId = Annotated[int, Path(ge=1, le=MAX_ID)]


class Page(BaseModel):
    """The requested part of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=1_000), Digits] = 100
    offset: Annotated[int, Field(ge=0, le=MAX_ID), Digits] = 0

    def read(self, service: Service, wanted: Select) -> dict[str, Any]:
        """Return this part of the wanted rows, by id, and how many there are in all."""
        part = wanted.order_by(wanted.selected_columns.id).limit(self.limit).offset(self.offset)
        with service.engine.connect() as connection:
            total = connection.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()
            items = [dict(row) for row in connection.execute(part).mappings()]
        return {"items": items, "total": total, "limit": self.limit, "offset": self.offset}


def _show(value: Any) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


# A stored value in an answer, shown unchanged; times are in UTC and end in Z.
Shown = Annotated[str, BeforeValidator(_show)]


def service_of(request: Request) -> Service:
    """Return a request's service."""
    return request.app.state.service


TheService = Annotated[Service, Depends(service_of)]
