"""Run dates, which are UTC days written YYYY-MM-DD, and scheduled times within a day."""

import re
from datetime import UTC, date, datetime, timedelta

from ingestion.errors import BadRequest

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ISO_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)


def parse_run_date(text: str | None) -> str:
    """Return a normalized run date, by default today (UTC); raises BadRequest when it isn't a day."""
    if text is None:
        return datetime.now(UTC).date().isoformat()
    try:
        if not _ISO_DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise BadRequest(f"{text!r} is not a day; a run date is written YYYY-MM-DD") from error


def parse_run_at(text: str) -> datetime:
    """Return a time in UTC; raises BadRequest unless it is an ISO-8601 time with a UTC offset."""
    try:
        if not _ISO_TIME.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{text!r} is not a time; --run-at is written YYYY-MM-DDTHH:MM:SSZ") from error


def days_between(first: str, last: str) -> list[str]:
    """Return every day from first to last, both included; raises BadRequest when last is before first."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    if end < start:
        raise BadRequest(f"--from {first} is after --to {last}")
    return [(start + timedelta(days=offset)).isoformat() for offset in range((end - start).days + 1)]
