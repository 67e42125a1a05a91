"""The tables of the people database, with the data dictionary's rules as constraints."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The base of all tables; annotations determine the types."""

    type_annotation_map = {str: Text, datetime: DateTime(timezone=True), bytes: LargeBinary}  # noqa: RUF012


class Entity(Base):
    """A row that clients write; a soft-deleted one is kept, inactive, for the rows that refer to it."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-2)
    name: Mapped[str] = mapped_column(sort_order=-1)
    is_active: Mapped[bool] = mapped_column(server_default=true(), sort_order=1)


class Department(Entity):
    """A department with hires."""

    __tablename__ = "departments"
    __table_args__ = (CheckConstraint("id > 0", name="departments_id_is_positive"),)


class Job(Entity):
    """A job for hires."""

    __tablename__ = "jobs"
    __table_args__ = (CheckConstraint("id > 0", name="jobs_id_is_positive"),)


class Employee(Entity):
    """A hire: name, time, department and job."""

    __tablename__ = "employees"
    __table_args__ = (
        CheckConstraint("id > 0", name="employees_id_is_positive"),
        CheckConstraint(
            "hiring_date >= '1900-01-01 00:00+00' and hiring_date < '2200-01-01 00:00+00'",
            name="employees_hiring_date_is_plausible",
        ),
    )

    hiring_date: Mapped[datetime]
    department_id: Mapped[int] = mapped_column(ForeignKey("departments.id"), index=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), index=True)


class RejectedRow(Base):
    """A row that breaks the data dictionary, as received, with every reason."""

    __tablename__ = "rejected_rows"
    __table_args__ = (UniqueConstraint("batch_id", "row_number"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    batch_id: Mapped[UUID]
    table_name: Mapped[str]
    source: Mapped[str]  # `api`, or the name of the file
    row_number: Mapped[int] = mapped_column(BigInteger)  # from 1, in the batch or file
    payload: Mapped[str]  # JSON text, or the line
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    rejected_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ApiKey(Base):
    """An API key; only the SHA-256 of its secret is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (CheckConstraint("role in ('reader', 'writer', 'admin')", name="api_keys_role_is_known"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    secret_sha256: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    revoked_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    """A batch's answer, so that a retry gets the same answer and counts once."""

    __tablename__ = "idempotency_keys"

    api_key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[bytes]  # of the path and the body
    answer: Mapped[str | None]  # JSON; NULL only within the batch's own transaction
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class Import(Base):
    """A completely imported CSV file: the same bytes into the same table are the same batch."""

    __tablename__ = "imports"

    batch_id: Mapped[UUID] = mapped_column(primary_key=True)
    table_name: Mapped[str]
    file_name: Mapped[str]
    file_sha256: Mapped[str]
    is_sample: Mapped[bool]
    accepted_count: Mapped[int] = mapped_column(BigInteger)
    rejected_count: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[datetime] = mapped_column(server_default=func.now())
