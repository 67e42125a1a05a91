"""The operator behind every task: a `tradewinds` command, its output as the task's log."""

import os
from collections.abc import Sequence
from typing import Any

from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from tradewinds_dags.definitions import PROJECT
from tradewinds_dags.lineage import parent_of_commands

_BAD_REQUEST = 2


class TradewindsOperator(BaseOperator):
    """Runs `tradewinds` with these words, and no shell between; returns the last line it printed.

    A failure ends with that line, too. A wrong request (exit 2) stays wrong, so it is never tried again.
    """

    template_fields: Sequence[str] = ("words",)
    ui_color = "#dbe9f4"

    def __init__(self, *, words: list[str], **kwargs: Any):
        super().__init__(**kwargs)
        self.words = words
        self._process = SubprocessHook()

    def execute(self, context: Any) -> str:
        command = os.environ.get("TRADEWINDS_COMMAND") or str(PROJECT / ".venv" / "bin" / "tradewinds")
        # Options that were not chosen are empty words.
        words = [word for word in self.words if word]
        variables = os.environ | parent_of_commands(context)
        done = self._process.run_command([command, *words], env=variables, cwd=str(PROJECT))
        if done.exit_code == _BAD_REQUEST:
            raise AirflowFailException(done.output)
        if done.exit_code < 0:
            raise AirflowException(f"tradewinds {' '.join(words)} was killed by signal {-done.exit_code}")
        if done.exit_code:
            raise AirflowException(done.output)
        return done.output

    def on_kill(self) -> None:
        """Stop the command with the task."""
        if self._process.sub_process:
            self._process.send_sigterm()
