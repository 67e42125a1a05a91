"""Create, read, list, replace, change and delete single rows of a table."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, HTTPException, Query, Response
from pydantic import BaseModel, create_model
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from people_api.api.answers import answers
from people_api.api.requests import Page, RowId, Shown, StrictRoute, TheService
from people_api.api.service import Service
from people_api.database.models import Entity
from people_api.dictionary import changes_of, values_of
from people_api.tables import Table

HardDelete = Annotated[
    Literal["true", "false"],
    Header(alias="X-Hard-Delete", description="`true` deletes the row. By default it is only made inactive."),
]


class RowPage(Page):
    """A page of rows."""

    include_inactive: Literal["true", "false"] = "false"


def rows_router(table: Table) -> APIRouter:
    """Return the routes of a table."""
    router = APIRouter(prefix=f"/v1/{table.name}", tags=[table.name], route_class=StrictRoute)
    # Models that only FastAPI reads: they are made, or chosen, for each table.
    stored: Any
    listed: Any
    stored, listed = _answer_models(table)
    new: Any = table.row
    replacement: Any = values_of(table.row)
    partial: Any = changes_of(table.row)
    model, singular = table.model, table.singular

    def find(session: Session, id_: int, *, even_inactive: bool = False, to_change: bool = True) -> Entity:
        row = session.get(model, id_, with_for_update=to_change)
        if row is None or not (row.is_active or even_inactive):
            raise HTTPException(404, f"{table.name} has no {id_}")
        return row

    def set_fields(row: Entity, values: dict[str, Any]) -> Entity:
        for field, value in _stored_values(table, values).items():
            setattr(row, field, value)
        return row

    @router.post("", status_code=201, summary=f"Create a {singular}", responses=answers(403, 409, 422))
    def create(row: new, service: TheService, response: Response) -> stored:
        """The id must be new: a deleted row, though inactive, still has its id."""
        with _changing(service) as session:
            if session.get(model, row.id):
                raise HTTPException(409, f"{table.name} has {row.id} already; PUT replaces it, an inactive one too")
            created = model(**_stored_values(table, row.model_dump()), is_active=True)
            session.add(created)
        response.headers["Location"] = f"/v1/{table.name}/{row.id}"
        return created

    @router.get("", summary=f"List {table.name}", responses=answers(422))
    def list_rows(page: Annotated[RowPage, Query()], service: TheService) -> listed:
        """Rows are in the order of their ids, inactive ones only on request."""
        rows = select(model.__table__)
        return page.read(service, rows.where(model.is_active) if page.include_inactive == "false" else rows)

    @router.get("/{id:int}", summary=f"Read a {singular}", responses=answers(404, 422))
    def read(id: RowId, service: TheService) -> stored:  # noqa: A002
        """An inactive row isn't found."""
        with Session(service.engine) as session:
            return find(session, id, to_change=False)

    @router.put("/{id:int}", summary=f"Replace a {singular}", responses=answers(403, 404, 409, 422))
    def replace(id: RowId, values: replacement, service: TheService) -> stored:  # noqa: A002
        """All fields are required. An inactive row becomes active again."""
        with _changing(service) as session:
            row = find(session, id, even_inactive=True)
            return set_fields(row, values.model_dump() | {"is_active": True})

    @router.patch("/{id:int}", summary=f"Change fields of a {singular}", responses=answers(403, 404, 409, 422))
    def change(id: RowId, changes: partial, service: TheService) -> stored:  # noqa: A002
        """Fields that aren't sent keep their values."""
        with _changing(service) as session:
            return set_fields(find(session, id), changes.model_dump(exclude_unset=True))

    @router.delete("/{id:int}", status_code=204, summary=f"Delete a {singular}", responses=answers(403, 404, 409, 422))
    def delete(id: RowId, service: TheService, hard: HardDelete = "false") -> None:  # noqa: A002
        """The row becomes inactive. `X-Hard-Delete: true` removes it, unless other rows refer to it."""
        with _changing(service) as session:
            row = find(session, id, even_inactive=hard == "true")
            if hard == "true":
                session.delete(row)
            else:
                row.is_active = False

    return router


def _answer_models(table: Table) -> tuple[type[BaseModel], type[BaseModel]]:
    """Return the response models of a row and of a page of rows."""
    name = table.singular.capitalize()
    # Plain types: stored rows may have bypassed the judge, and are shown unchanged.
    types: dict[str, Any] = {field: (int if type_ == "integer" else Shown, ...) for field, type_ in table.types.items()}
    stored: Any = create_model(name, __doc__=f"A stored {table.singular}.", **types, is_active=(bool, ...))
    listed = create_model(
        f"{name}Page",
        __doc__=f"A part of {table.name}, by id, and how many there are in all.",
        items=(list[stored], ...),
        total=(int, ...),
        limit=(int, ...),
        offset=(int, ...),
    )
    return stored, listed


def _stored_values(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    return {
        field: datetime.fromisoformat(value) if table.types.get(field) == "timestamptz" else value
        for field, value in values.items()
    }


@contextmanager
def _changing(service: Service) -> Iterator[Session]:
    """Open a transaction; a conflict with another row or a reference to this one is a 409."""
    try:
        with Session(service.engine, expire_on_commit=False) as session, session.begin():
            yield session
    except IntegrityError as error:
        refusal: Any = error.orig  # psycopg's
        raise HTTPException(409, refusal.diag.message_detail or "another row contradicts it") from error
