"""Select and order rows the same way on every engine."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from ingestion.errors import StepFailed
from ingestion.sql import literal, quote


@dataclass(frozen=True)
class Selection:
    """The rows to read of a relation: those of these run dates, in this order, only the first `limit`.

    `order_by` holds column names, ascending unless ` desc` follows. `days` are YYYY-MM-DD, at least one.
    """

    order_by: Sequence[str] = ()
    days: Sequence[str] | None = None
    limit: int | None = None

    @property
    def condition(self) -> str:
        """The SQL condition on a row's run date; `true` for all days."""
        if self.days is None:
            return "true"
        return f"run_date in ({', '.join(f'date {literal(day)}' for day in self.days)})"

    def ordered(self, columns: pa.Schema, text: str = "{}") -> str:
        """Return ` order by … limit …`, or an empty string; NULLs always come last.

        `text` is a template for text columns. Raises StepFailed on a missing column.
        """
        terms = []
        for term in self.order_by:
            column, _, direction = term.partition(" ")
            if column not in columns.names or direction not in ("", "desc"):
                raise StepFailed(
                    f"rows can't be ordered by {term!r}: expected one of {', '.join(columns.names)}, or with desc"
                )
            is_text = columns.field(column).type == pa.string()
            sorted_by = text.format(quote(column)) if is_text else quote(column)
            terms.append(f"{sorted_by} {direction or 'asc'} nulls last")
        limit = "" if self.limit is None else f" limit {self.limit}"
        return (f" order by {', '.join(terms)}" if terms else "") + limit


ALL_ROWS = Selection()
