"""Read the log of rejected rows."""

from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from people_api.database.models import RejectedRow

COLUMNS = ("table_name", "source", "row_number", "reasons", "payload", "rejected_at")


def newest_rejects(engine: Engine, limit: int) -> list[dict[str, Any]]:
    """Return the newest rejected rows, each with its reasons as one text."""
    with Session(engine) as session:
        rows = session.scalars(select(RejectedRow).order_by(RejectedRow.id.desc()).limit(limit))
        return [
            {column: getattr(row, column) for column in COLUMNS} | {"reasons": "; ".join(row.reasons)} for row in rows
        ]
