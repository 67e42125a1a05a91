"""Control totals: sums of a table's key and money, at the source and again in landing."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal

import pyarrow as pa

from ingestion.landing import Totals
from ingestion.session import open_scratch
from ingestion.sql import quote

_MONEY = "decimal(19, 4)"
# macros/key_number.sql has the same number.
_KEY_BOUND = 1_000_003
# Keeps sums of 38 digits and more exact.
_EXACT = Context(prec=60)


class DuckDBSql:
    """The expressions that differ between DuckDB and Postgres, for DuckDB."""

    # A 32-bit number from a text's MD5, the same on every engine.
    text_number = "('0x' || substr(md5({}), 1, 8))::bigint"

    @staticmethod
    def money(column: str, type_: pa.DataType) -> str:
        """Return a number as money, rounded to four decimals; macros/to_money.sql has the reasons."""
        if pa.types.is_integer(type_):
            return f"cast({column} as {_MONEY})"
        exact_below = 1024 if type_ == pa.float32() else 1e11
        shifted = f"round(cast({column} as double) * 10000)"
        near = f"cast(cast(try_cast({shifted} as bigint) as decimal(18, 0)) * 0.0001 as {_MONEY})"
        is_exact = f"abs({column}) < {exact_below} and {near} = {column}"
        return f"case when {is_exact} then {near} else cast(cast({column} as varchar) as {_MONEY}) end"


class PostgresSql:
    """The same for Postgres."""

    text_number = "('x' || substr(md5(convert_to({}, 'UTF8')), 1, 8))::bit(32)::bigint"

    @staticmethod
    def money(column: str, type_: pa.DataType) -> str:
        text = column if pa.types.is_decimal(type_) or pa.types.is_integer(type_) else f"cast({column} as varchar)"
        return f"cast({text} as {_MONEY})"


Sql = type[DuckDBSql] | type[PostgresSql]


@dataclass(frozen=True)
class ControlTotals:
    """The control totals of a table.

    A `key` with one name is an integer column and is summed. The columns of a tuple make one number a row: they are
    hashed as text or, if `multiplied`, multiplied as integers, which costs a tenth. `amount` is a product of columns.
    The first of them is money, rounded to four decimals in every row.
    """

    key: str | tuple[str, ...]
    amount: tuple[str, ...] = ()
    multiplied: bool = False

    def select(self, schema: pa.Schema, sql: Sql, accepted: str = "true") -> str:
        """Return SQL for both sums as decimal text, NULL where a column is missing or has another type."""
        key, amount = self._key(schema, sql), self._amount(schema, sql)
        return f"{_sum(key, accepted, 0)}, {_sum(amount, accepted, 4)}"

    def _key(self, schema: pa.Schema, sql: Sql) -> str | None:
        if isinstance(self.key, str):
            return quote(self.key) if _has(schema, self.key, pa.types.is_integer) else None
        fits = pa.types.is_integer if self.multiplied else _is_text_or_integer
        if not all(_has(schema, name, fits) for name in self.key):
            return None
        if self.multiplied:
            # Not their sum, which doesn't change when two rows swap values; bounded, so that no product overflows.
            return " * ".join(f"(cast({quote(name)} as bigint) % {_KEY_BOUND} + 1)" for name in self.key)
        parts = ", ".join(f"rtrim(cast({quote(name)} as varchar), ' ')" for name in self.key)
        return sql.text_number.format(f"concat_ws('|', {parts})")

    def _amount(self, schema: pa.Schema, sql: Sql) -> str | None:
        if not self.amount or not all(_has(schema, name, _is_number) for name in self.amount):
            return None
        money, *others = map(quote, self.amount)
        # NaN and values too large for money are left out.
        rounded = f"case when abs({money}) < 1e15 then {sql.money(money, schema.field(self.amount[0]).type)} end"
        return " * ".join([f"({rounded})", *others])


class BatchTotals:
    """The sums of a table that is read in batches."""

    def __init__(self, control: ControlTotals, schema: pa.Schema):
        self._select = control.select(schema, DuckDBSql)
        self._session = open_scratch()
        self._sums: list[Decimal | None] = []
        self.add(schema.empty_table())

    def add(self, batch: pa.Table) -> None:
        """Add a batch to the sums."""
        # Counted, because without a sum there would be a row for each of the batch's.
        _, *found = self._session.execute(f"select count(*), {self._select} from batch").fetchall()[0]
        added = [None if total is None else Decimal(total) for total in found]
        self._sums = [_add(old, new) for old, new in zip(self._sums or [Decimal(0)] * len(added), added, strict=True)]

    def totals(self) -> Totals:
        """Return the sums of all batches, or those of an empty table."""
        return Totals(*(None if total is None else f"{total:f}" for total in self._sums))


def add_totals(one: Totals, other: Totals) -> Totals:
    """Return the sums of two tables' rows together."""
    sides = [[None if sum_ is None else Decimal(sum_) for sum_ in (each.key, each.amount)] for each in (one, other)]
    return Totals(*(None if (sum_ := _add(*both)) is None else f"{sum_:f}" for both in zip(*sides, strict=True)))


def _add(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else _EXACT.add(one, other)


def _sum(expression: str | None, accepted: str, scale: int) -> str:
    if expression is None:
        return "null"
    total = f"coalesce(sum({expression}) filter (where {accepted}), 0)"
    return f"cast(cast({total} as decimal(38, {scale})) as varchar)"


def _has(schema: pa.Schema, column: str, is_fit: Callable[[pa.DataType], bool]) -> bool:
    return column in schema.names and is_fit(schema.field(column).type)


def _is_text_or_integer(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_integer(type_)


def _is_number(type_: pa.DataType) -> bool:
    return pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
