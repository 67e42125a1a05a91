"""Select and order rows the same way on every engine."""

from collections.abc import Sequence

import pyarrow as pa

from ingestion.errors import StepFailed
from ingestion.sql import literal, quote


def on_days(days: Sequence[str] | None) -> str:
    """Return the condition that a row's run date is one of these (YYYY-MM-DD, at least one); `true` for None."""
    return "true" if days is None else f"run_date in ({', '.join(f'date {literal(day)}' for day in days)})"


def order_clause(order_by: Sequence[str], columns: pa.Schema, text: str = "{}", limit: int | None = None) -> str:
    """Return ` order by … limit …` for column names, each optionally with ` desc`; an empty string for none.

    NULLs always come last. `text` is a template for text columns. Raises StepFailed on a missing column.
    """
    terms = []
    for term in order_by:
        column, _, direction = term.partition(" ")
        if column not in columns.names or direction not in ("", "desc"):
            raise StepFailed(
                f"rows can't be ordered by {term!r}: expected one of {', '.join(columns.names)}, or with desc"
            )
        is_text = columns.field(column).type == pa.string()
        sorted_by = text.format(quote(column)) if is_text else quote(column)
        terms.append(f"{sorted_by} {direction or 'asc'} nulls last")
    return (f" order by {', '.join(terms)}" if terms else "") + ("" if limit is None else f" limit {limit}")
