"""Write a home's whole site: boards, documentation, run history and index."""

import time
from collections.abc import Callable
from pathlib import Path

from ingestion.errors import Refused, StepFailed, TradewindsError
from ingestion.redact import one_line
from pipeline.boards import write_boards
from pipeline.run.request import Request
from pipeline.site.documentation import write_documentation
from pipeline.site.history import write_history
from pipeline.site.index import write_index

# The parts by their names on the index, in the order of writing.
_PARTS: dict[str, Callable[[Request], object]] = {
    "boards": write_boards,
    "documentation": write_documentation,
    "history": write_history,
}


def write_site(request: Request) -> Path:
    """Write every part that has data and return the index, which names the command for the others.

    Raises StepFailed when a part can't be written; its former pages stay.
    """
    missing: dict[str, TradewindsError] = {}
    for name, write in _PARTS.items():
        started = time.monotonic()
        try:
            write(request)
            request.reporter.line("docs", name, None, time.monotonic() - started)
        except Refused as refusal:
            missing[name] = refusal
            request.reporter.say(f"docs     {name}: {refusal.reason}; run: {refusal.command}")
        except StepFailed as error:
            command = error.command or request.whole_command("docs")
            raise error.retold(f"docs failed: {name}: {error.head}", command) from error
    return write_index(request, missing)


def refresh_site(request: Request) -> None:
    """Write the run history and the index anew, so that it says when the boards are older than what is published.

    A page never decides how a step ends, so a failure is only told. A home without a run keeps none.
    """
    if not request.ledger.days():
        return
    try:
        write_history(request)
        write_index(request)
    except Exception as error:  # a disk, a store or a database that the step got along without
        request.reporter.say(f"docs     the index couldn't be written: {one_line(error)}")
