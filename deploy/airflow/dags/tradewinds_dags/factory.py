"""Pipelines made into DAGs: every source's extract side by side, then one step after the other."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, chain

from tradewinds_dags.alerts import alert_to
from tradewinds_dags.commands import TradewindsOperator
from tradewinds_dags.definitions import ALL, Definitions, Pipeline
from tradewinds_dags.published import PublishOperator, make_site_dag
from tradewinds_dags.turns import TURN, TurnSensor

# The day that was asked for by hand, the day on which the data interval starts, or the day of the trigger.
_RUN_DATE = "{{ params.run_date or ((dag_run.data_interval_start or dag_run.run_after) | ds) }}"
_REFRESH = "{{ '' if params.refresh else '--if-missing' }}"
_STEPS = {
    "load": ["load"],
    "check_arrivals": ["check", "--stage", "arrivals"],
    "build": ["build"],
    "check_marts": ["check", "--stage", "marts"],
    "publish": ["publish"],
}
# Before any day that a backfill could be asked for: Airflow creates no run of an earlier one.
_FIRST_DAY = datetime(1990, 1, 1, tzinfo=UTC)
_PARAMS = {
    "run_date": Param(None, type=["null", "string"], format="date", description="A day of your own, when triggered."),
    "refresh": Param(False, type="boolean", description="Ask the sources again, though the day has landed."),
}


def make_dags(definitions: Definitions) -> list[DAG]:
    """Return a DAG for each pipeline, and the site's if it has a target."""
    dags = [_make_dag(pipeline, definitions) for pipeline in definitions.pipelines]
    return dags + ([make_site_dag(definitions.site)] if definitions.site else [])


def _make_dag(pipeline: Pipeline, definitions: Definitions) -> DAG:
    sources, pool = definitions.sources_of(pipeline), f"warehouse_{pipeline.target}"
    last_steps = {
        other.name: _steps_of(other)[-1] for other in definitions.pipelines if other.target == pipeline.target
    }
    dag = DAG(
        dag_id=pipeline.name,
        schedule=CronDataIntervalTimetable(pipeline.cron, timezone="UTC"),
        start_date=_FIRST_DAY,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        params=_PARAMS,
        tags=["pipeline", pipeline.target, *sources],
        description=f"{pipeline.schedule}: {', '.join(sources)} into {pipeline.target}",
        default_args={
            "owner": pipeline.owner,
            "retries": pipeline.retries,
            "retry_delay": timedelta(seconds=pipeline.retry_seconds),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=15),
            "on_failure_callback": alert_to(pipeline.alerts),
            # A later step goes before an earlier one, so a day under way is never held up by another that waits.
            "weight_rule": "upstream",
        },
    )
    with dag:
        extracts = [
            TradewindsOperator(
                task_id=f"extract_{source}",
                words=["extract", *_day(pipeline), "--source", source, _REFRESH],
            )
            for source in sources
        ]
        turn = TurnSensor(task_id=TURN, last_steps=last_steps, pool=pool)
        covered = [] if pipeline.sources == ALL else [word for name in sources for word in ("--source", name)]
        words = {step: [*_STEPS[step], *_day(pipeline), *covered] for step in _steps_of(pipeline)}
        steps = [
            PublishOperator(task_id=step, words=words[step], target=pipeline.target, pool=pool)
            if step == "publish"
            else TradewindsOperator(task_id=step, words=words[step], pool=pool)
            for step in words
        ]
        chain(extracts, turn, *steps)
    return dag


def _day(pipeline: Pipeline) -> list[str]:
    return ["--run-date", _RUN_DATE, "--target", pipeline.target]


def _steps_of(pipeline: Pipeline) -> list[str]:
    """Return the steps after extract: of some sources alone nothing can be published, so those end in raw, checked."""
    return list(_STEPS) if pipeline.sources == ALL else ["load", "check_arrivals"]
