"""What is told when a task has failed for good: one line in the log, and at a webhook if one is set."""

import json
import logging
import os
from collections.abc import Callable
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

_SECONDS = 10
_log = logging.getLogger(__name__)


def alert_to(variable: str) -> Callable[[Any], None]:
    """Return a callback that posts `{"text": line}` to the URL in this environment variable, if it is set.

    A webhook that can't be reached is a line in the log and fails nothing; its URL, which may be a secret, isn't said.
    """

    def tell(context: Any) -> None:
        line = describe(context)
        _log.error(line)
        url = os.environ.get(variable)
        if not url:
            return
        try:
            body = json.dumps({"text": line}).encode()
            request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 -- set by who runs Airflow
            with urlopen(request, timeout=_SECONDS):  # noqa: S310
                pass
        except (URLError, OSError, ValueError) as error:
            _log.warning("the webhook in %s couldn't be told: %s", variable, type(error).__name__)

    return tell


def describe(context: Any) -> str:
    """Return the line: DAG, run, task, tries, reason, and where the log is."""
    task_instance = context["ti"]
    reason = str(context.get("exception") or "no reason given").strip()
    where = f"{task_instance.dag_id} {task_instance.run_id}: {task_instance.task_id}"
    return f"{where} failed at try {task_instance.try_number}: {reason}; log: {task_instance.log_url}"
