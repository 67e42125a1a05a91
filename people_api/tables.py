"""The tables that accept rows: their shapes, models and references."""

from dataclasses import dataclass, field
from functools import cached_property

from ingestion.errors import BadRequest
from people_api.database.models import Department, Employee, Entity, Job
from people_api.dictionary import (
    EmployeeChanges,
    EmployeeRow,
    EmployeeValues,
    NamedChanges,
    NamedRow,
    NamedValues,
    Record,
)


@dataclass(frozen=True)
class Table:
    """A table; `fields` are in CSV order, `references` are its foreign keys by field."""

    name: str
    singular: str
    model: type[Entity]
    row: type[Record]
    values: type[Record]
    changes: type[Record]
    types: dict[str, str]
    references: dict[str, str] = field(default_factory=dict)

    @cached_property
    def fields(self) -> list[str]:
        return list(self.types)


_NAMED = {"id": "integer", "name": "text"}
_EMPLOYEE = _NAMED | {"hiring_date": "timestamptz", "department_id": "integer", "job_id": "integer"}
_PARENTS = {"department_id": "departments", "job_id": "jobs"}

# Parents first.
TABLES = {
    table.name: table
    for table in (
        Table("departments", "department", Department, NamedRow, NamedValues, NamedChanges, _NAMED),
        Table("jobs", "job", Job, NamedRow, NamedValues, NamedChanges, _NAMED),
        Table("employees", "employee", Employee, EmployeeRow, EmployeeValues, EmployeeChanges, _EMPLOYEE, _PARENTS),
    )
}


def table_named(name: str) -> Table:
    """Return a table; raises BadRequest on an unknown name."""
    if name not in TABLES:
        raise BadRequest(f"unknown table {name!r}; the tables are {', '.join(TABLES)}")
    return TABLES[name]
