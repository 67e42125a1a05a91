"""Compute a publish's changes: rows added, removed and changed in each mart, and totals before and after."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from decimal import Decimal

from ingestion.sql import quote
from pipeline.dbt.project import Mart

# Runs a query that works on both engines, and returns its one row.
FetchRow = Callable[[str], tuple]
# A relation's columns in order, with their types.
Types = dict[str, str]
# Returns an engine's SQL for the 64-bit hash of a row, given the relation and its columns; NULL differs from any value.
RowHash = Callable[[str, list[str]], str]
_WHOLE_NUMBERS, _RANGE = {"smallint", "int", "integer", "bigint"}, 4096


@dataclass(frozen=True)
class Change:
    """One mart's difference; `totals` are sums before and after by column, `columns` are added and dropped columns."""

    mart: str
    added: int = 0
    removed: int = 0
    changed: int = 0
    totals: dict[str, tuple[Decimal | None, Decimal | None]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.changed or self.columns)

    def describe(self) -> str:
        """Return the difference as text: `12 added, 3 changed; net_amount_usd 10.00 → 12.00`."""
        counts = {"added": self.added, "removed": self.removed, "changed": self.changed}
        parts = [", ".join(f"{count:,} {what}" for what, count in counts.items() if count), ", ".join(self.columns)]
        for column, (before, after) in self.totals.items():
            moved = f"{_number(before)} → {_number(after)}" if before != after else f"{_number(after)} as before"
            parts.append(f"{column} {moved}")
        return "; ".join(part for part in parts if part)


def compare(
    mart: Mart,
    fetch: FetchRow,
    row_hash: RowHash,
    old: str | None,
    new: str,
    columns: tuple[Types, Types],
    different: str | None = None,
) -> Change:
    """Compare a mart's published relation (None if there is none) with the built one, given their columns' types.

    Rows are compared by their common columns. A row with the same key is changed, not removed and added. `different` is
    a relation with the rows of `different_rows`, if there is one.
    """
    before, after = columns
    if old is None:
        totals: dict[str, tuple[Decimal | None, Decimal | None]]
        totals = {column: (None, total) for column, total in _sums(mart, fetch, new, after).items()}
        return Change(mart.relation, _count(fetch, new), 0, 0, totals)
    key = ", ".join(quote(column) for column in mart.key if column in before and column in after) or "_row_hash"
    found = f"select * from {different}" if different else different_rows(mart, row_hash, old, new, columns)
    added, removed, changed = fetch(f"""
        with different as ({found}),
        by_key as (
            select
                sum(case when _surplus > 0 then _surplus else 0 end) as added,
                sum(case when _surplus < 0 then -_surplus else 0 end) as removed
            from different
            group by {key}
        )
        select
            coalesce(sum(added), 0), coalesce(sum(removed), 0), count(case when added > 0 and removed > 0 then 1 end)
        from by_key
    """)
    added, removed = int(added), int(removed)
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


def range_of(mart: Mart, *sides: Types) -> str:
    """Return SQL for the range that a row's key is in, `0` unless the key begins with a whole number on all sides."""
    key = mart.key[0] if mart.key else ""
    is_divided = all(types.get(key, "").lower() in _WHOLE_NUMBERS for types in sides)
    return f"coalesce({quote(key)} - {quote(key)} % {_RANGE}, 0)" if is_divided else "0"


def in_ranges(mart: Mart, range_: str, ranges: Collection[int]) -> str:
    """Return the condition that a row's range, as `range_of` has it, is one of these."""
    listed = f"{range_} in ({', '.join(map(str, ranges))})"
    if 0 in ranges:  # also that of rows without a key
        return listed
    # An engine that knows a block's lowest and highest key reads only these blocks.
    return f"{listed} and {quote(mart.key[0])} between {min(ranges) - _RANGE} and {max(ranges) + _RANGE}"


def different_rows(
    mart: Mart,
    row_hash: RowHash,
    old: str,
    new: str,
    columns: tuple[Types, Types],
    ranges: Collection[int] | None = None,
) -> str:
    """Return a query of the rows that differ: key, hash and `_surplus`, how often the new relation has them more.

    Rows are compared only in `ranges` of the key, by default in those whose sums of hashes differ.
    """
    before, after = columns
    common = [column for column in after if column in before]
    listed = ", ".join(map(quote, common))
    sides = f"(select {listed}, 1 as _side from {new} union all select {listed}, -1 from {old}) as sides"
    # Rows are hashed after the union, which gives a changed type one type. Without a key, the whole row is the key.
    hashed = f"select *, {row_hash(sides, common)} as _row_hash from {sides}"
    if (range_ := range_of(mart, before, after)) != "0":
        differing = f"""
            select {range_} from ({hashed}) as hashed group by 1
            having sum(case when _side > 0 then _row_hash else 0 end)
                <> sum(case when _side < 0 then _row_hash else 0 end)
        """
        hashed += f" where {in_ranges(mart, range_, ranges) if ranges else f'{range_} in ({differing})'}"
    key = ", ".join([*(quote(column) for column in mart.key if column in common), "_row_hash"])
    return f"select {key}, sum(_side) as _surplus from ({hashed}) as hashed group by {key} having sum(_side) <> 0"


def _count(fetch: FetchRow, relation: str) -> int:
    return fetch(f"select count(*) from {relation}")[0]


def _sums(mart: Mart, fetch: FetchRow, relation: str, columns: Types) -> dict[str, Decimal | None]:
    summed = [column for column in mart.totals if column in columns]
    if not summed:
        return {}
    return dict(
        zip(summed, fetch(f"select {', '.join(f'sum({quote(c)})' for c in summed)} from {relation}"), strict=True)
    )


def _number(value: Decimal | None) -> str:
    return "none" if value is None else f"{value:,}"
