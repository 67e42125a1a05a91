"""Parse requests strictly: JSON bodies, numbers in paths and queries, no unknown names."""

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Path, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import Response

from people_api.api.service import Service
from people_api.api.strict_json import RepeatedField, read_json
from people_api.dictionary import MAX_ID


class _StrictRequest(Request):
    async def json(self) -> Any:
        body = await self.body()
        self.scope["body_sha256"] = hashlib.sha256(body).digest()
        try:
            value, self.scope["texts"] = read_json(body)
        except ValueError as error:
            raise json.JSONDecodeError(str(error), "", 0) from error
        if isinstance(value, RepeatedField):
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


def service_of(request: Request) -> Service:
    """Return a request's service."""
    return request.app.state.service


TheService = Annotated[Service, Depends(service_of)]
