"""Control totals: a table's key and money summed where it is read and again where it has landed."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ingestion.landing import Totals
from ingestion.session import open_session
from ingestion.sources.postgres_types import quote

# A number of 32 bits from a text's MD5, which is the same on every engine.
DUCKDB_HASH = "('0x' || substr(md5({text}), 1, 8))::bigint"
POSTGRES_HASH = "('x' || substr(md5(convert_to({text}, 'UTF8')), 1, 8))::bit(32)::bigint"


@dataclass(frozen=True)
class ControlTotals:
    """What is summed of a table.

    A `key` that is one name is an integer column, summed as it is; the columns of a tuple are hashed as text. `amount`
    is a product of columns, the first of them money, which is rounded to four decimals in every row.
    """

    key: str | tuple[str, ...]
    amount: tuple[str, ...] = ()

    def select(self, schema: pa.Schema, hash_number: str, accepted: str = "true") -> str:
        """Return SQL for both sums as decimal text, NULL where the table lacks a column or has it in another type."""
        key, amount = self._key(schema, hash_number), self._amount(schema)
        return f"{_sum(key, accepted, 0)}, {_sum(amount, accepted, 4)}"

    def _key(self, schema: pa.Schema, hash_number: str) -> str | None:
        if isinstance(self.key, str):
            return quote(self.key) if _has(schema, self.key, pa.types.is_integer) else None
        if not all(_has(schema, name, _is_text_or_integer) for name in self.key):
            return None
        parts = ", ".join(f"rtrim(cast({quote(name)} as varchar), ' ')" for name in self.key)
        return hash_number.format(text=f"concat_ws('|', {parts})")

    def _amount(self, schema: pa.Schema) -> str | None:
        if not self.amount or not all(_has(schema, name, _is_number) for name in self.amount):
            return None
        money, *others = map(quote, self.amount)
        # By way of text, like macros/to_money.sql; NaN and what no money column can hold are left out.
        rounded = f"case when abs({money}) < 1e15 then cast(cast({money} as varchar) as decimal(19, 4)) end"
        return " * ".join([f"({rounded})", *others])


class BatchTotals:
    """The sums of a table that passes by in batches."""

    def __init__(self, control: ControlTotals, schema: pa.Schema):
        self._select = control.select(schema, DUCKDB_HASH)
        self._session = open_session()
        self._session.execute("create table part (key decimal(38, 0), amount decimal(38, 4))")

    def add(self, batch: pa.Table) -> None:
        """Take a batch into the sums."""
        self._session.execute(f"insert into part select {self._select} from batch")

    def totals(self, schema: pa.Schema) -> Totals:
        """Return the sums of all batches, those of an empty table when there was none."""
        self.add(schema.empty_table())
        sums = self._session.execute("select sum(key)::varchar, sum(amount)::varchar from part").fetchone()
        return Totals(*sums)


def landed_totals(paths: list[Path], control: ControlTotals, schema: pa.Schema) -> Totals:
    """Return the sums of these Parquet files together."""
    query = f"select {control.select(schema, DUCKDB_HASH)} from read_parquet(?, hive_partitioning = false)"
    with open_session() as connection:
        return Totals(*connection.execute(query, [[str(path) for path in paths]]).fetchone())


def _sum(expression: str | None, accepted: str, scale: int) -> str:
    if expression is None:
        return "null"
    total = f"coalesce(sum({expression}) filter (where {accepted}), 0)"
    return f"cast(cast({total} as decimal(38, {scale})) as varchar)"


def _has(schema: pa.Schema, column: str, is_fit) -> bool:
    return column in schema.names and is_fit(schema.field(column).type)


def _is_text_or_integer(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_integer(type_)


def _is_number(type_: pa.DataType) -> bool:
    return pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
