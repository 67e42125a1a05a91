"""Structured logs: one JSON object a line, appended to a file in the home, independent of the terminal."""

import json
import logging
import re
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler

from ingestion.redact import redact
from ingestion.settings import Home

# A key put in a wrong place: the part that `key list` shows may stay.
_KEY = re.compile(r"(tw_[0-9a-f]{12})_[\w-]+")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        fields |= getattr(record, "fields", {})
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return _KEY.sub(r"\1_***", redact(json.dumps(fields, default=str)))


def open_log(home: Home, name: str) -> logging.Logger:
    """Return the logger of `service` or `client`, which appends to `logs/people-<name>.jsonl`.

    The file may be rotated: it is reopened when its name refers to another file.
    """
    folder = home.root / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger(f"tradewinds.people.{name}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    handler = WatchedFileHandler(folder / f"people-{name}.jsonl", encoding="utf-8")
    handler.setFormatter(_JsonLines())
    logger.addHandler(handler)
    return logger


def log(logger: logging.Logger, event: str, **fields: object) -> None:
    """Write one line: the event and its fields."""
    logger.info(event, extra={"fields": fields})
