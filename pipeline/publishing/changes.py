"""What a publish would change: rows added, removed and changed in each mart, and its totals before and after."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from ingestion.sources.postgres_types import quote
from pipeline.project import Mart

# Runs a query, whose words both engines understand, and returns its one row.
FetchRow = Callable[[str], tuple]


@dataclass(frozen=True)
class Change:
    """One mart's difference; `totals` are sums before and after by column, `columns` what the mart gained and lost."""

    mart: str
    added: int
    removed: int
    changed: int
    totals: dict[str, tuple[Decimal | None, Decimal | None]]
    columns: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.changed or self.columns)

    def describe(self) -> str:
        """Return the difference in words: `12 added, 3 changed; net_amount_usd 10.00 → 12.00`."""
        counts = {"added": self.added, "removed": self.removed, "changed": self.changed}
        parts = [", ".join(f"{count:,} {what}" for what, count in counts.items() if count), ", ".join(self.columns)]
        for column, (before, after) in self.totals.items():
            moved = f"{_number(before)} → {_number(after)}" if before != after else f"{_number(after)} as before"
            parts.append(f"{column} {moved}")
        return "; ".join(part for part in parts if part)


def compare(mart: Mart, fetch: FetchRow, old: str | None, new: str, columns: tuple[list[str], list[str]]) -> Change:
    """Compare a mart's published relation (None when there is none) with the built one, given their columns.

    Rows are compared by the columns both have; a row whose key stays is changed, not removed and added.
    """
    before, after = columns
    if old is None:
        totals = {column: (None, total) for column, total in _sums(mart, fetch, new, after).items()}
        return Change(mart.relation, _count(fetch, new), 0, 0, totals)
    common = ", ".join(quote(column) for column in after if column in before)
    key = ", ".join(quote(column) for column in mart.key if column in before) or common
    added, removed, changed = fetch(f"""
        with added as (select {common} from {new} except all select {common} from {old}),
        removed as (select {common} from {old} except all select {common} from {new})
        select
            (select count(*) from added),
            (select count(*) from removed),
            (select count(*) from (select {key} from added intersect select {key} from removed) as changed)
    """)
    was, now = _sums(mart, fetch, old, before), _sums(mart, fetch, new, after)
    return Change(
        mart.relation,
        added - changed,
        removed - changed,
        changed,
        {column: (was.get(column), now.get(column)) for column in mart.totals},
        (
            *(f"column {column} added" for column in after if column not in before),
            *(f"column {column} removed" for column in before if column not in after),
        ),
    )


def _count(fetch: FetchRow, relation: str) -> int:
    return fetch(f"select count(*) from {relation}")[0]


def _sums(mart: Mart, fetch: FetchRow, relation: str, columns: list[str]) -> dict[str, Decimal | None]:
    summed = [column for column in mart.totals if column in columns]
    if not summed:
        return {}
    return dict(
        zip(summed, fetch(f"select {', '.join(f'sum({quote(c)})' for c in summed)} from {relation}"), strict=True)
    )


def _number(value: Decimal | None) -> str:
    return "none" if value is None else f"{value:,}"
