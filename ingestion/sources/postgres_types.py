"""How Postgres' types land: the Arrow type, the SQL that selects it, and the values that readers disagree on.

Integers, floats, booleans, text, bytea, dates, times, timestamps and numeric up to 38 digits land unchanged. `numeric`
without a declared size lands as decimal(38, 18), and so does `money`, whose text depends on lc_monetary. Every other
type (uuid, json, arrays, enums, intervals, addresses …) lands as Postgres' text. Infinite dates, years outside
0001–9999, NaN, numbers that don't fit and text that isn't UTF-8 are never converted: the whole row is rejected with its
text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from ingestion.sql import literal, quote

# Tables, and what can be read like one, with their columns; domains are resolved to their base type. A table's
# `version` is another one when it was made anew or emptied, not when its rows changed.
REFLECT = """
with recursive domain as (
    select domain.oid, base.typname, domain.typtypmod
    from pg_catalog.pg_type as domain
    inner join pg_catalog.pg_type as base on base.oid = domain.typbasetype
    where base.typtype <> 'd'
    union all
    select type.oid, domain.typname, domain.typtypmod
    from domain
    inner join pg_catalog.pg_type as type on type.typbasetype = domain.oid
)

select
    relation.relname,
    attribute.attname,
    coalesce(domain.typname, type.typname) as typname,
    coalesce(domain.typtypmod, attribute.atttypmod) as typmod,
    getdatabaseencoding() = 'SQL_ASCII' as is_unencoded,
    relation.oid::text || '/' || relation.relfilenode::text as version,
    case
        when relation.relkind in ('v', 'm') then 'view'
        when relation.relkind = 'f' then 'foreign table'
    end as other_kind
from pg_catalog.pg_class as relation
inner join pg_catalog.pg_namespace as namespace on namespace.oid = relation.relnamespace
inner join pg_catalog.pg_attribute as attribute on attribute.attrelid = relation.oid
inner join pg_catalog.pg_type as type on type.oid = attribute.atttypid
left join domain on domain.oid = type.oid
where
    namespace.nspname = $1
    and relation.relkind in ('r', 'p', 'v', 'm', 'f')
    and not relation.relispartition
    and attribute.attnum > 0
    and not attribute.attisdropped
order by relation.relname, attribute.attnum
"""

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
# Read as another type: their text depends on a setting.
_READ_AS = {"money": "numeric", "_money": "numeric[]"}
_MAX_DIGITS = 38
_UNSIZED_SCALE = 18


# Well-formed UTF-8 as hexadecimal bytes (RFC 3629).
_UTF8 = (
    "^([0-7].|(c[2-9a-f]|d.)[89ab].|e0[ab].[89ab].|(e[1-9a-cef])([89ab].){2}|ed[89].[89ab].|f0[9ab].([89ab].){2}"
    "|f[123]([89ab].){3}|f48.([89ab].){2})*$"
)


@dataclass(frozen=True)
class PostgresColumn:
    """A column with the name of its type; `typmod` is the catalog's atttypmod, -1 when the type has no size.

    The text of an unencoded database (SQL_ASCII) may be any bytes.
    """

    name: str
    type_name: str
    typmod: int
    is_unencoded: bool = False

    @property
    def source(self) -> str:
        """The SQL expression of the value that the other expressions work on."""
        read_as = _READ_AS.get(self.type_name)
        return f"{quote(self.name)}::{read_as} as {quote(self.name)}" if read_as else quote(self.name)

    @property
    def is_cast(self) -> bool:
        """Whether the value is read as another type."""
        return self.type_name in _READ_AS

    @property
    def arrow_type(self) -> pa.DataType:
        """The landed Arrow type."""
        if self.type_name in ("numeric", "money"):
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
        if self.is_text_of_any_bytes:
            return f"{name} is null or encode(convert_to({name}::text, 'SQL_ASCII'), 'hex') ~ '{_UTF8}'"
        return None

    @property
    def is_text_of_any_bytes(self) -> bool:
        """Whether a value may be no text in UTF-8."""
        return self.is_unencoded and self.arrow_type == pa.string()

    def _numeric_size(self) -> tuple[int, int, bool]:
        """Return precision, scale and whether Postgres enforces them (by typmod)."""
        if self.type_name == "numeric" and self.typmod >= 4:
            precision = ((self.typmod - 4) >> 16) & 0xFFFF
            scale = ((self.typmod - 4) & 0x7FF ^ 0x400) - 0x400
            if 0 <= scale <= precision <= _MAX_DIGITS:
                return precision, scale, True
        return _MAX_DIGITS, _UNSIZED_SCALE, False


def broken_rules(columns: Sequence[PostgresColumn]) -> str:
    """Return SQL for the text of the rules that a row breaks, each with the names of its columns."""
    rules = {
        "out of range": [column for column in columns if not column.is_text_of_any_bytes],
        "not UTF-8": [column for column in columns if column.is_text_of_any_bytes],
    }
    told = [f"'{rule}: ' || {failing}" for rule, broken in rules.items() if (failing := _failing(broken))]
    return f"concat_ws('; ', {', '.join(told)})"


def _failing(columns: Sequence[PostgresColumn]) -> str:
    """Return SQL for the names of the columns whose check a row fails, NULL if there are none; empty without checks."""
    names = [f"case when not ({column.check}) then {literal(column.name)} end" for column in columns if column.check]
    return f"nullif(concat_ws(', ', {', '.join(names)}), '')" if names else ""
