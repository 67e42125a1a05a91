"""Whose turn it is at a warehouse: a day goes from load to its last step before another day may begin.

The one-slot pool keeps two steps apart. It doesn't keep two days apart: a load between another day's build and its
check would leave that check without its marts.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import BaseSensorOperator

TURN = "take_turn"
_PAUSE, _PATIENCE = timedelta(seconds=30), timedelta(hours=12)
_ENDED = {"success", "failed", "upstream_failed", "skipped", "removed"}


class TurnSensor(BaseSensorOperator):
    """Waits until no other run is between its turn and its last step, and no earlier day of its own DAG is ahead.

    `last_steps` names, for every DAG that writes to the warehouse, the step that ends a turn. In the warehouse's pool
    only one sensor looks at a time, so two can't both find it free.
    """

    def __init__(self, *, last_steps: dict[str, str], **kwargs: Any):
        # A scheduler slower than the pause takes a look that found nothing for a failure: another try is harmless.
        looks = {"poke_interval": _PAUSE, "retries": 100, "retry_delay": _PAUSE, "retry_exponential_backoff": False}
        super().__init__(mode="reschedule", timeout=_PATIENCE, **looks, **kwargs)
        self.last_steps = last_steps

    def poke(self, context: Any) -> bool:
        """Say whether the turn is this run's, and in the log what it waits for."""
        task_instance = context["ti"]
        ahead = self._earlier_day(task_instance) or self._holder(task_instance)
        if ahead:
            self.log.info("%s goes first", ahead)
        return not ahead

    def _earlier_day(self, task_instance: Any) -> str | None:
        """Return an earlier run that is under way, or waits in a backfill: the warehouse's history grows by days."""
        for state in ("running", "queued"):
            run = task_instance.get_previous_dagrun(state=state)
            # Another queued run waits for this one itself, as a DAG has one active run.
            if run and (state == "running" or run.run_type == "backfill"):
                return f"{task_instance.dag_id} {run.run_id} ({state})"
        return None

    def _holder(self, task_instance: Any) -> str | None:
        """Return a run that has taken its turn and has not ended it."""
        own = (task_instance.dag_id, task_instance.run_id)
        for dag_id, last_step in self.last_steps.items():
            runs = task_instance.get_task_states(dag_id=dag_id, task_ids=[TURN, last_step])
            for run_id, states in runs.items():
                has_begun, has_ended = states.get(TURN) == "success", states.get(last_step) in _ENDED
                if has_begun and not has_ended and (dag_id, run_id) != own:
                    return f"{dag_id} {run_id}"
        return None
