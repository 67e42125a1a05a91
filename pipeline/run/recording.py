"""The frame of every step: update ledger and metrics, report a failure as one line, print the duration."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from ingestion.errors import BadRequest, Refused, StepFailed, TradewindsError
from ingestion.redact import one_line
from pipeline.ledger import Record
from pipeline.ledger.metrics import write_metrics
from pipeline.run.alerts import alert_failure, alert_recovery, check_alerts
from pipeline.run.lineage import tell_end, tell_start
from pipeline.run.request import Request


@contextmanager
def recorded(request: Request, run_date: str, step: str, command: str, source: str | None = None) -> Iterator[Record]:
    """Record a step in ledger and metrics, report its end, and explain failures as `explained` does."""
    check_alerts()
    record = None
    try:
        with explained(run_date, step, command, source), ExitStack() as ended:
            ended.callback(_tell_monitoring, request)
            with request.ledger.recording(run_date, step, command, request.target, source) as record:
                ended.callback(_tell, request, record, run_date, step, source)
                ended.callback(tell_end, request, record, run_date, step, source)
                tell_start(request, record, run_date, step, source)
                _tell_monitoring(request)
                yield record
    except (StepFailed, Refused) as error:
        alert_failure(request, record, run_date, " ".join(filter(None, (step, source))), error)
        raise
    if step == "publish":
        alert_recovery(request, run_date)


def _tell(request: Request, record: Record, run_date: str, step: str, source: str | None) -> None:
    if record.entry:
        request.reporter.tell(run_date=run_date, step=step, source=source, **record.entry)


@contextmanager
def explained(run_date: str, step: str, command: str, source: str | None = None) -> Iterator[None]:
    """Convert any failure into one line: step, date, reason and the next command."""
    name = step.replace("_", " ")
    try:
        yield
    except BadRequest:
        raise
    except TradewindsError as error:
        ended = "refused" if isinstance(error, Refused) else "failed"
        named = f"{source}: " if source and not error.head.startswith(source) else ""
        raise error.retold(f"{name} {run_date} {ended}: {named}{error.head}", error.command or command) from error
    except Exception as error:
        line = f"{name} {run_date} failed: {type(error).__name__}: {one_line(error)}"
        raise StepFailed(line, command) from error


def _tell_monitoring(request: Request) -> None:
    """Write the metrics; a failure is only a warning, because the step's work is done."""
    try:
        write_metrics(request.ledger, request.home.runs)
    except OSError as error:
        request.reporter.warn(f"the metrics can't be written: {one_line(error)}")


@contextmanager
def timed(request: Request, step: str, name: str) -> Iterator[Callable[[int | None, str], None]]:
    """Show progress during the block, and print one line with the result that it reports."""
    started = time.monotonic()
    with request.reporter.working(step, name):
        yield lambda rows, note: request.reporter.line(step, name, rows, time.monotonic() - started, note)
