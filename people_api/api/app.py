"""Assemble the service."""

from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from people_api.api.answers import OF_EVERY_ROUTE, add_handlers
from people_api.api.batches import batches_router
from people_api.api.gate import KEY_HEADER, METRICS_PATH, OPEN_PATH, Gate
from people_api.api.operations import router as operations
from people_api.api.reports import reports_router
from people_api.api.rows import rows_router
from people_api.api.service import Service
from people_api.tables import TABLES

_EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "departments": [{"id": 1, "name": "Product Management"}, {"id": 2, "name": "Sales"}],
    "jobs": [{"id": 96, "name": "Marketing Assistant"}],
    "employees": [
        {"id": 1, "name": "Harold Vogt", "hiring_date": "2021-11-07T02:48:42Z", "department_id": 2, "job_id": 96}
    ],
}
_TAGS = {
    "departments": "Departments. A deleted one stays, inactive, for its hires.",
    "jobs": "Jobs. A deleted one stays, inactive, for its hires.",
    "employees": "Hires: who, when, in which department and for which job.",
    "reports": "Hire reports of the published marts, as JSON or CSV, with the published version as ETag.",
    "rejects": "Rows that broke the data dictionary, as they were received, with every reason.",
    "backups": "Backups of tables as Avro files, and restores from them. Both need the role admin.",
    "operations": "The service's health and metrics.",
}


def create_app(service: Service) -> ASGIApp:
    """Return the service as an ASGI app, without Swagger UI and ReDoc, which load from other hosts."""
    app = _People(
        title="Tradewinds people",
        version="1",
        description="Departments, jobs and employees: rows in, one or a thousand at a time; hire reports out.",
        docs_url=None,
        redoc_url=None,
        openapi_tags=[{"name": name, "description": description} for name, description in _TAGS.items()],
        servers=[{"url": "/", "description": "The service that this schema was read from."}],
        responses=OF_EVERY_ROUTE,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        separate_input_output_schemas=False,
    )
    app.state.service = service
    for name, table in TABLES.items():
        app.include_router(batches_router(table, _EXAMPLES[name]))
        app.include_router(rows_router(table))
    app.include_router(reports_router())
    app.include_router(operations)
    add_handlers(app)
    return Gate(app, service)


class _People(FastAPI):
    def openapi(self) -> dict[str, Any]:
        return _with_security(super().openapi())


def _with_security(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with the API key that the gate requires."""
    schema.setdefault("components", {})["securitySchemes"] = {
        "key": {"type": "apiKey", "in": "header", "name": KEY_HEADER, "description": "tw_<id>_<secret>"},
        "bearer": {"type": "http", "scheme": "bearer", "description": "the same key, for Prometheus"},
    }
    schema["security"] = [{"key": []}]
    schema["paths"][METRICS_PATH]["get"]["security"] = [{"key": []}, {"bearer": []}]
    schema["paths"][OPEN_PATH]["get"]["security"] = []
    return schema
