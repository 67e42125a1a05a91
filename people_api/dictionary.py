"""The data dictionary: the rules for the rows of each table, from every input.

Every field is mandatory. Ids are 32-bit integers from 1. Names aren't blank and have at most 255 characters, without
control characters. A hiring date is ISO-8601 in UTC, ends in Z, and lies in 1900–2199. Types are strict: "12" isn't a
number. Unknown fields are refused.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from ingestion.redact import show_text

MAX_ID = 2**31 - 1
MAX_NAME = 255

# Control characters, including NUL, which Postgres can't store; lone surrogates aren't among them.
_CONTROL = r"\x00-\x1f\x7f-\x9f"
NAME_PATTERN = rf"^[^{_CONTROL}]*[^{_CONTROL}\s][^{_CONTROL}]*$"
_YEAR, _LEAP_YEAR = "(19|2[01])[0-9]{2}", "((19|2[01])(0[48]|[2468][048]|[13579][26])|2000)"
_DATE = (
    rf"({_YEAR}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
    rf"|{_LEAP_YEAR}-02-29)"
)
HIRING_DATE_PATTERN = rf"^{_DATE}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{{1,6}})?Z$"

Id = Annotated[int, Field(ge=1, le=MAX_ID, examples=[7])]
Name = Annotated[str, Field(max_length=MAX_NAME, pattern=NAME_PATTERN, examples=["Research and Development"])]
HiringDate = Annotated[
    str,
    Field(
        pattern=HIRING_DATE_PATTERN,
        description="ISO-8601 in UTC, ending in Z, in 1900–2199.",
        examples=["2021-11-07T02:48:42Z"],
    ),
]
# The default of a field that a change may leave out; a sent null is refused.
_UNSENT: Any = None


_MAX_DIGITS = 20


class LongNumber:
    """An integer with more digits than any id, left unparsed because thousands of digits are costly."""


def read_integer(digits: str) -> int | LongNumber:
    """Return the integer that these digits, with an optional sign, are."""
    return int(digits) if len(digits) <= _MAX_DIGITS else LongNumber()


class Record(BaseModel):
    """The base of every row: strict types, and no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class NamedRow(Record):
    """A department or a job."""

    id: Id
    name: Name


class EmployeeRow(Record):
    """An employee."""

    id: Id
    name: Annotated[Name, Field(examples=["Harold Vogt"])]
    hiring_date: HiringDate
    department_id: Annotated[Id, Field(examples=[2])]
    job_id: Annotated[Id, Field(examples=[96])]


@cache
def values_of(row: type[Record]) -> type[Record]:
    """Return the shape of a row without its id."""
    return _without_id(row, "Values", "Values of {} without the id.", ...)


@cache
def changes_of(row: type[Record]) -> type[Record]:
    """Return the shape of changes to a row: any of its fields except the id."""
    return _without_id(row, "Changes", "Changes to {}.", None)


def _without_id(row: type[Record], kind: str, told: str, default: Any) -> type[Record]:
    fields = get_type_hints(row, include_extras=True)
    described = str(row.__doc__).removesuffix(".")
    described = told.format(described[0].lower() + described[1:])
    changed: dict[str, Any] = {
        name: (type_, default) for name, type_ in fields.items() if name in row.model_fields and name != "id"
    }
    return create_model(row.__name__.removesuffix("Row") + kind, __base__=Record, __doc__=described, **changed)


_REASONS = {
    "missing": "missing",
    "extra_forbidden": "unknown field",
    "int_type": "not an integer",
    "string_type": "not a text",
    "string_unicode": "not Unicode text",
    "string_too_long": f"longer than {MAX_NAME} characters",
    "greater_than_equal": f"not between 1 and {MAX_ID}",
    "less_than_equal": f"not between 1 and {MAX_ID}",
    "int_parsing_size": f"not between 1 and {MAX_ID}",
}
_ROW_REASONS = {"string_unicode": "names a field that is not Unicode text"}
_PATTERNS = {
    "name": "blank, or with a control character",
    "hiring_date": "not ISO-8601 in UTC that ends in Z, or no day of 1900–2199",
}


def explain(error: ValidationError) -> list[str]:
    """Return every reason why a row breaks the dictionary, as `field: reason`."""
    return [_reason(found) for found in error.errors(include_url=False, include_context=False)]


def _reason(found: Mapping[str, Any]) -> str:
    if not found["loc"]:
        return f"row: {_ROW_REASONS.get(found['type'], 'not an object')}"
    field, kind = show_text(str(found["loc"][0]).encode(errors="backslashreplace").decode()), found["type"]
    if kind in ("int_type", "string_type") and found["input"] is None:
        return f"{field}: missing"
    if kind == "int_type" and isinstance(found["input"], LongNumber):
        kind = "int_parsing_size"
    if kind == "string_pattern_mismatch":
        return f"{field}: missing" if not found["input"].strip() else f"{field}: {_PATTERNS[field]}"
    return f"{field}: {_REASONS.get(kind, found['msg'])}"
