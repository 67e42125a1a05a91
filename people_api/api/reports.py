"""The hire reports: rows of the published marts, as JSON or CSV, under the published version's ETag."""

import csv
import io
import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from ingestion.errors import StepFailed
from ingestion.redact import disarm
from people_api.api.answers import answers
from people_api.api.requests import Digits, TheService
from people_api.published import Report

_QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


class ReportQuery(BaseModel):
    """A report's year and format; without `format` the Accept header decides."""

    model_config = ConfigDict(extra="forbid")

    year: Annotated[int, Field(ge=1900, le=2199, examples=[2021]), Digits]
    format: Literal["json", "csv"] | None = None


class HiresByQuarterRow(BaseModel):
    """The hires in each quarter for a department and a job."""

    hire_year: int
    department: str
    job: str
    q1: int
    q2: int
    q3: int
    q4: int


class DepartmentAboveMeanRow(BaseModel):
    """A department with more hires than the mean of all departments."""

    hire_year: int
    id: int
    department: str
    hired: int


# The rows of each mart; a report's path is its mart's name with hyphens.
_MARTS = {"hires_by_quarter": HiresByQuarterRow, "departments_above_mean": DepartmentAboveMeanRow}
_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "The published version."}}


def reports_router() -> APIRouter:
    """Return one route for each report."""
    router = APIRouter(prefix="/v1/reports", tags=["reports"])
    for mart, row in _MARTS.items():
        _add_report(router, mart, row)
    return router


def _add_report(router: APIRouter, mart: str, row: Any) -> None:
    documented: dict[int | str, Any] = {
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "headers": _ETAG, "description": "The report."},
        304: {"headers": _ETAG, "description": "What If-None-Match names is still published."},
        406: answers(400)[400] | {"description": "Accept names neither application/json nor text/csv."},
    }

    @router.get(
        f"/{mart.replace('_', '-')}",
        summary=mart.replace("_", " ").capitalize(),
        description=f"The rows of the published mart `{mart}` for one year.",
        responses=answers(404, 422) | documented,
        response_model=list[row],
    )
    def answer_report(
        query: Annotated[ReportQuery, Query()],
        service: TheService,
        request: Request,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        kind = query.format or accepted_format(request.headers.get("accept", "*/*"))
        if kind is None:
            raise HTTPException(406, "reports are application/json or text/csv")
        try:
            report = service.read_report(mart, query.year)
        except StepFailed as error:
            service.logger.error("published", exc_info=error)
            raise HTTPException(503, "what is published can't be read now; try again") from error
        if report is None:
            raise HTTPException(404, "nothing is published yet; run: tradewinds run")
        headers = {"ETag": f'"{report.version}"', "Vary": "Accept"}
        if _names(if_none_match, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        if kind == "csv":
            return Response(as_csv(report), media_type="text/csv", headers=headers)
        return JSONResponse(list(report.rows), headers=headers)


def accepted_format(accept: str) -> Literal["json", "csv"] | None:
    """Return the format that an Accept header (RFC 9110, 12.5.1) prefers (default JSON), None if it accepts neither."""
    weights: dict[Literal["json", "csv"], float]
    weights = {"json": _weight(accept, "application/json"), "csv": _weight(accept, "text/csv")}
    best = max(weights, key=lambda kind: weights[kind])
    return best if weights[best] > 0 else None


def as_csv(report: Report) -> str:
    """Return a report as CSV; spreadsheets read none of its texts as a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(report.columns)
    writer.writerows([disarm(row[column]) for column in report.columns] for row in report.rows)
    return out.getvalue()


def _weight(accept: str, kind: str) -> float:
    """Return the quality of the most specific range that covers a media type."""
    ranges = {}
    for item in accept.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        ranges[name] = float(quality) if _QUALITY.fullmatch(quality) else 0.0
    for name in (kind, kind.partition("/")[0] + "/*", "*/*"):
        if name in ranges:
            return ranges[name]
    return 0.0


def _names(if_none_match: str | None, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in tags or "*" in tags
