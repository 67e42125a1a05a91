"""The published marts as Airflow Assets: what publishing updates, and what starts on it."""

import json
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset
from airflow.sdk.exceptions import AirflowSkipException

from tradewinds_dags.alerts import alert_to
from tradewinds_dags.commands import TradewindsOperator


def published(target: str) -> Asset:
    """Return the Asset of the marts that a target's readers see; an event's extra has their version and run date."""
    return Asset(f"tradewinds_{target}")


class PublishOperator(TradewindsOperator):
    """Publishes, and updates the Asset; a day that leaves a newer version in place is skipped, and updates nothing."""

    def __init__(self, *, words: list[str], target: str, **kwargs: Any):
        super().__init__(words=[*words, "--format", "json"], outlets=[published(target)], **kwargs)
        self.target = target

    def execute(self, context: Any) -> str:
        entry = json.loads(super().execute(context))
        if entry["version"] is None:
            raise AirflowSkipException(f"readers of {self.target} have a newer version than {entry['run_date']}")
        context["outlet_events"][published(self.target)].extra = {name: entry[name] for name in ("version", "run_date")}
        return entry["version"]


def make_site_dag(target: str) -> DAG:
    """Return the DAG that writes the site again when a target's marts were published."""
    with DAG(
        dag_id="site",
        schedule=[published(target)],
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=["site", target],
        description=f"The site, when marts were published in {target}",
        default_args={
            "owner": "data-platform",
            "retries": 2,
            "retry_delay": timedelta(seconds=30),
            "on_failure_callback": alert_to("TRADEWINDS_ALERT_URL"),
        },
    ) as dag:
        # In the warehouse's pool: the documentation reads the warehouse, which a step may hold.
        TradewindsOperator(task_id="docs", words=["docs", "--target", target], pool=f"warehouse_{target}")
    return dag
