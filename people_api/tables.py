"""The tables that accept rows: their shapes, models and references."""

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import DateTime, Integer

from people_api.database.models import Department, Employee, Entity, Job
from people_api.dictionary import EmployeeRow, NamedRow, Record

_TYPES = {Integer: "integer", DateTime: "timestamptz"}


@dataclass(frozen=True)
class Table:
    """A table: its rows as they come in, and its model in the database, which knows types and references."""

    model: type[Entity]
    row: type[Record]

    @property
    def name(self) -> str:
        return self.model.__tablename__

    @property
    def singular(self) -> str:
        return self.model.__name__.lower()

    @cached_property
    def fields(self) -> list[str]:
        """The names of a row's fields, in the order of a CSV file."""
        return list(self.row.model_fields)

    @cached_property
    def types(self) -> dict[str, str]:
        """Postgres' types of the fields."""
        columns = self.model.__table__.c
        return {name: _TYPES.get(type(columns[name].type), "text") for name in self.fields}

    @cached_property
    def references(self) -> dict[str, str]:
        """The tables that foreign keys refer to, by field."""
        columns = self.model.__table__.c
        return {column.name: key.column.table.name for column in columns for key in column.foreign_keys}


# Parents first.
TABLES = {
    table.name: table for table in (Table(Department, NamedRow), Table(Job, NamedRow), Table(Employee, EmployeeRow))
}
