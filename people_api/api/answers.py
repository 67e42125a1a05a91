"""The service's error responses: one shape, one line, never a stack trace."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import compile_path

from ingestion.errors import BadRequest, TradewindsError
from ingestion.redact import one_line

UNAVAILABLE = "the database can't answer now; try again"


class Problem(BaseModel):
    """The reason why a request failed."""

    detail: str = Field(examples=["employees has no 7"])
    errors: list[str] = Field(default=[], examples=[["body.name: missing"]])


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems that a route documents beside those of every route."""
    said = {
        400: "The request can't be read.",
        403: "The key's role may not do this.",
        404: "There is no such thing.",
        409: "It contradicts what is there.",
        422: "A field breaks the data dictionary.",
    }
    return {status: {"model": Problem, "description": said[status]} for status in statuses}


# Problems of every route: from the gate, or without the database.
OF_EVERY_ROUTE: dict[int | str, dict[str, Any]] = {
    401: {
        "model": Problem,
        "description": "No key, or one that opens nothing.",
        "headers": {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "How to come with a key."}},
    },
    408: {"model": Problem, "description": "The body didn't come in time."},
    413: {"model": Problem, "description": "The body is too large."},
    429: {
        "model": Problem,
        "description": "Too many requests.",
        "headers": {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds to wait."}},
    },
    503: {"model": Problem, "description": "The database can't answer now."},
}


def problem(
    status: int, detail: str, errors: Sequence[str] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return the response to a failed request."""
    return JSONResponse({"detail": detail, "errors": list(errors)}, status, headers)


def add_handlers(app: FastAPI) -> None:
    """Answer every error of the app in this shape."""

    @app.exception_handler(RequestValidationError)
    def refuse_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, "the request breaks the data dictionary", [_describe(found) for found in error.errors()])

    @app.exception_handler(StarletteHTTPException)
    def refuse(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods(request))
        return problem(error.status_code, error.detail, headers=headers)

    @app.exception_handler(TradewindsError)
    def refuse_step(request: Request, error: TradewindsError) -> JSONResponse:
        return problem(404 if isinstance(error, BadRequest) else 409, one_line(error))

    @app.exception_handler(DBAPIError)
    @app.exception_handler(PoolTimeout)
    def say_unavailable(request: Request, error: Exception) -> JSONResponse:
        request.app.state.service.logger.error("database", exc_info=error)
        return problem(503, UNAVAILABLE)


def _describe(found: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in found["loc"])
    return f"{where}: {found['msg']}".encode(errors="backslashreplace").decode()


def _methods(request: Request) -> list[str]:
    """Return the methods of a path; each method is a separate route."""
    paths = request.app.openapi()["paths"]
    asked = request.scope["path"]
    found = [asked] if asked in paths else [path for path in paths if compile_path(path)[0].match(asked)]
    return sorted({method.upper() for path in found for method in paths[path]})
