"""Tell people about a day that failed, was refused, is late or has recovered: once each, through Apprise."""

import logging
import os
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from ingestion.errors import BadRequest, Refused, TradewindsError
from ingestion.files import write_atomically
from ingestion.redact import register_secret
from pipeline.dbt.project import owners
from pipeline.ledger import Record
from pipeline.run.request import Request

if TYPE_CHECKING:
    from apprise import Apprise

SETTING = "TRADEWINDS_ALERTS"
_OWNER = "platform"  # the group in models/_groups.yml whose owner runs the days


def check_alerts() -> None:
    """Raise BadRequest when the setting has a URL that Apprise doesn't know; the URL isn't shown."""
    if os.environ.get(SETTING):
        _notifier(os.environ[SETTING])


def alert_failure(request: Request, record: Record | None, run_date: str, part: str, error: TradewindsError) -> None:
    """Tell that a step failed or was refused. Nothing is told twice, nor of an attempt that leaves no entry."""
    if os.environ.get(SETTING) and record and record.is_stored:
        ended = "was refused" if isinstance(error, Refused) else "failed"
        lines = [error.head, *error.findings, *([error.hint] if error.hint else [])]
        _tell_once(request, run_date, part, f"{run_date}: {part} {ended}", "\n".join(lines), error.command)


def alert_late(request: Request, run_date: str) -> None:
    """Tell that a day isn't complete yet, unless something else was told about it."""
    check_alerts()
    if not any((request.home.runs / run_date).glob("alerts/*")):
        title, reason = f"{run_date}: the day is late", "it isn't complete yet"
        _tell_once(request, run_date, "day", title, reason, request.whole.command("run", run_date))


def alert_recovery(request: Request, run_date: str) -> None:
    """Tell that a day is complete, if something was told about it."""
    told = list((request.home.runs / run_date).glob("alerts/*"))
    if told and os.environ.get(SETTING) and _send(request, f"{run_date}: recovered", "the day is complete", None):
        for file in told:
            file.unlink(missing_ok=True)


def _tell_once(request: Request, run_date: str, part: str, title: str, reason: str, command: str | None) -> None:
    """Send an alert unless this part of the day was told with the same reason; what couldn't be sent wasn't told."""
    file = request.home.runs / run_date / "alerts" / part.replace(" ", ".")
    told = sha256(f"{title}\n{reason}".encode()).hexdigest()
    if file.exists() and file.read_text(encoding="utf-8") == told:
        return
    if _send(request, title, reason, command):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, told)


def _send(request: Request, title: str, reason: str, command: str | None) -> bool:
    owner = owners()[_OWNER]
    lines = [reason, *([f"next: {command}"] if command else []), f"owner: {owner['name']} <{owner['email']}>"]
    is_sent = _notifier(os.environ[SETTING]).notify(title=f"Tradewinds {title}", body="\n".join(lines))
    if not is_sent:
        request.reporter.warn(f"an alert couldn't be sent to every address in {SETTING}", once=True)
    return bool(is_sent)


@cache
def _notifier(urls: str) -> "Apprise":
    from apprise import Apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its messages may show an address
    notifier = Apprise()
    for number, url in enumerate(urls.split(), start=1):
        register_secret(url)
        if not notifier.add(url):
            raise BadRequest(f"{SETTING}: address {number} is no URL that Apprise knows")
    return notifier
