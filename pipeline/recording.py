"""What every step does around its work: keep ledger and metrics, end a failure as one line, say how long it took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ingestion.errors import BadRequest, Refused, StepFailed, TradewindsError
from ingestion.redact import one_line
from pipeline.ledger import Record
from pipeline.metrics import write_metrics
from pipeline.request import Request


@contextmanager
def recorded(request: Request, run_date: str, step: str, command: str, source: str | None = None) -> Iterator[Record]:
    """Keep a step's entry in the ledger and its metrics beside it, and end any failure as `explained` does."""
    with explained(run_date, step, command, source):
        try:
            with request.ledger.recording(run_date, step, command, request.target, source) as record:
                _tell_monitoring(request)
                yield record
        finally:
            _tell_monitoring(request)


@contextmanager
def explained(run_date: str, step: str, command: str, source: str | None = None) -> Iterator[None]:
    """End any failure as one line: step, date, reason, and what to type next."""
    name = step.replace("_", " ")
    try:
        yield
    except BadRequest:
        raise
    except TradewindsError as error:
        ended = "refused" if isinstance(error, Refused) else "failed"
        named = f"{source}: " if source and not error.reason.startswith(source) else ""
        line = f"{name} {run_date} {ended}: {named}{error.reason}"
        raise type(error)(line, error.command or command) from error
    except Exception as error:
        line = f"{name} {run_date} failed: {type(error).__name__}: {one_line(error)}"
        raise StepFailed(line, command) from error


def _tell_monitoring(request: Request) -> None:
    """Write the metrics anew; what can't be written is a warning, for the step's own work stands."""
    try:
        write_metrics(request.ledger, request.home.runs)
    except OSError as error:
        request.reporter.say(f"warning  the metrics can't be written: {one_line(error)}")


@contextmanager
def timed(request: Request, step: str, name: str) -> Iterator[Callable[[int | None, str], None]]:
    """Print one line when the block has said what came of it."""
    started = time.monotonic()
    yield lambda rows, note: request.reporter.line(step, name, rows, time.monotonic() - started, note)
