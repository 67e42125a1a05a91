"""Write events to the day's folder of the ledger, and send them to the URL of OpenLineage's own settings, if one is."""

import json
import logging
import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from ingestion.redact import one_line, redact, register_secret

FILE_NAME = "openlineage.jsonl"
# Any of them names a transport of OpenLineage's client.
_PLACES = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG", "OPENLINEAGE__TRANSPORT", "OPENLINEAGE__TRANSPORT__TYPE")
_sending = Lock()
_unreachable: set[str] = set()


def emit(folder: Path, events: Callable[[], Iterable[dict[str, Any]]], warn: Callable[[str], None]) -> None:
    """Append events to the folder's file and send them; a failure is a warning, because the step's work is done."""
    if os.environ.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return
    try:
        made = list(events())
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / FILE_NAME).open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(event, separators=(",", ":")) + "\n" for event in made))
    except Exception as error:  # a disk, or a manifest or database that the step got along without
        warn(f"the OpenLineage events can't be written: {one_line(error)}")
        return
    if any(os.environ.get(place) for place in _PLACES):
        _send(made, folder, warn)


def _send(events: list[dict[str, Any]], folder: Path, warn: Callable[[str], None]) -> None:
    """Send events in order; after the first that isn't taken, this process sends no more and has warned once."""
    with _sending:
        if _unreachable:
            return
        try:
            transport = _transport()
            for event in events:
                transport.emit(event)
        except Exception as error:  # each transport has its own
            place = redact(os.environ.get("OPENLINEAGE_URL") or "its configured place")
            _unreachable.add(place)
            status = getattr(getattr(error, "response", None), "status_code", None)
            reason = f"HTTP {status}" if status else type(error).__name__
            kept = f"{folder.parent}/<run date>/{FILE_NAME}"
            warn(f"OpenLineage: {place} takes no events ({reason}); they are kept in {kept}")


@cache
def _transport() -> Any:
    """Return the transport that OpenLineage's client makes of its settings; one retry, so that no day waits long."""
    register_secret(os.environ.get("OPENLINEAGE_API_KEY") or "")
    for name in ("openlineage", "urllib3"):  # their warnings would be printed among our lines
        logging.getLogger(name).setLevel(logging.CRITICAL)
    from openlineage.client.client import OpenLineageClient

    transport = OpenLineageClient().transport
    if (config := getattr(transport, "config", None)) and hasattr(config, "retry"):
        config.retry = config.retry | {"total": 1}
    return transport
