"""How Postgres' types land: the Arrow type, the SQL that selects it, and the values that readers disagree on.

Integers, floats, booleans, text, bytea, dates, times, timestamps and numeric up to 38 digits land unchanged. `numeric`
without a declared size lands as decimal(38, 18). Every other type (uuid, json, arrays, enums, intervals, addresses,
money …) lands as Postgres' text. Infinite dates, years outside 0001–9999, NaN and numbers that don't fit are never
converted: the whole row is rejected with its text.
"""

from dataclasses import dataclass

import pyarrow as pa

from ingestion.sql import quote

_DIRECT = {
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "bool": pa.bool_(),
    "text": pa.string(),
    "varchar": pa.string(),
    "bpchar": pa.string(),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}
_MAX_DIGITS = 38
_UNSIZED_SCALE = 18


@dataclass(frozen=True)
class PostgresColumn:
    """A column with the name of its type; `typmod` is the catalog's atttypmod, -1 when the type has no size."""

    name: str
    type_name: str
    typmod: int

    @property
    def arrow_type(self) -> pa.DataType:
        """The landed Arrow type."""
        if self.type_name == "numeric":
            precision, scale, _ = self._numeric_size()
            return pa.decimal128(precision, scale)
        if self.type_name == "oid":
            return pa.int64()
        return _DIRECT.get(self.type_name, pa.string())

    @property
    def select(self) -> str:
        """The SQL expression that selects it."""
        if self.type_name in _DIRECT:
            return quote(self.name)
        cast = "int8" if self.type_name == "oid" else "text"
        return f"{quote(self.name)}::{cast} as {quote(self.name)}"

    @property
    def check(self) -> str | None:
        """SQL that is true when the value can land, None when every value can."""
        name = quote(self.name)
        if self.type_name in ("date", "timestamp", "timestamptz"):
            first, end = (f"{bound}::{self.type_name}" for bound in ("'0001-01-01'", "'10000-01-01'"))
            return f"{name} is null or ({name} >= {first} and {name} < {end})"
        if self.type_name == "time":
            return f"{name} is null or {name} < '24:00'::time"
        if self.type_name == "numeric":
            precision, scale, is_sized = self._numeric_size()
            fits = f"abs({name}) < 1e{precision - scale}::numeric"
            if not is_sized:
                fits += f" and scale({name}) <= {scale}"
            return f"{name} is null or ({fits})"
        return None

    def _numeric_size(self) -> tuple[int, int, bool]:
        """Return precision, scale and whether Postgres enforces them (by typmod)."""
        if self.typmod >= 4:
            precision = ((self.typmod - 4) >> 16) & 0xFFFF
            scale = ((self.typmod - 4) & 0x7FF ^ 0x400) - 0x400
            if 0 <= scale <= precision <= _MAX_DIGITS:
                return precision, scale, True
        return _MAX_DIGITS, _UNSIZED_SCALE, False
