"""The DAGs over the people tables; none has a schedule."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param, task
from airflow.sdk.exceptions import AirflowFailException

from tradewinds_dags.alerts import alert_to
from tradewinds_dags.commands import TradewindsOperator

_TABLES = ["departments", "jobs", "employees"]
_KEPT = [*_TABLES, "rejected_rows"]
# As many tasks as Airflow maps from one list (`core.max_map_length`).
_MAX_BATCHES = 1024


def make_insert_dag() -> DAG:
    """Return the DAG that cuts a CSV file into batches and sends each by a task of its own."""
    with _manual_dag(
        "people_insert",
        "A CSV file into a people table, in batches through the people service",
        {
            "table": Param("employees", type="string", enum=_TABLES),
            "file": Param("", type="string", minLength=1, description="A path that the worker can read."),
            "lines": Param(1000, type="integer", minimum=1, description="Lines to a batch."),
        },
    ) as dag:
        batches = cut(table="{{ params.table }}", file="{{ params.file }}")
        TradewindsOperator.partial(
            task_id="insert", map_index_template="from line {{ task.words[5] }}", max_active_tis_per_dagrun=4
        ).expand(words=batches)
    return dag


def make_backup_dag() -> DAG:
    """Return the DAG that keeps tables as Avro files, each by a task of its own."""
    with _manual_dag(
        "people_backup",
        "People tables out to Avro files",
        {"tables": Param(_KEPT, type="array", items={"type": "string", "enum": _KEPT}, examples=_KEPT, minItems=1)},
    ) as dag:
        TradewindsOperator.partial(task_id="backup", map_index_template="{{ task.words[2] }}").expand(
            words=name_backups()
        )
    return dag


def make_restore_dag() -> DAG:
    """Return the DAG that replaces a table's rows by those of a backup."""
    with _manual_dag(
        "people_restore",
        "A people table back from its newest Avro file, or the one that is named",
        {
            "table": Param("employees", type="string", enum=_KEPT),
            "file": Param(None, type=["null", "string"], description="A backup's name, path or s3:// URL."),
        },
    ) as dag:
        origin = ["{{ '--from' if params.file else '' }}", "{{ params.file or '' }}"]
        TradewindsOperator(task_id="restore", words=["people", "restore", "{{ params.table }}", *origin])
    return dag


@task
def cut(table: str, file: str, params: dict[str, Any] | None = None) -> list[list[str]]:
    """Return the words of a command for each batch of lines; a batch that is sent twice counts once."""
    size = params["lines"]
    try:
        with Path(file).open("rb") as lines:
            count = sum(1 for _ in lines)
    except OSError as error:
        raise AirflowFailException(f"{file} can't be read: {error.strerror}") from error
    if count > size * _MAX_BATCHES:
        least = -(-count // _MAX_BATCHES)
        raise AirflowFailException(f"{count:,} lines make too many batches of {size:,}; trigger with lines {least}")
    options = ["--lines", str(size), "--allow-rejects"]
    return [
        ["people", "add", table, f"--file={file}", "--first-line", str(first), *options]
        for first in range(1, count + 1, size)
    ]


@task
def name_backups(params: dict[str, Any] | None = None) -> list[list[str]]:
    """Return the words of a command for each table that was asked for."""
    return [["people", "backup", table] for table in params["tables"]]


def _manual_dag(dag_id: str, description: str, params: dict[str, Param]) -> DAG:
    return DAG(
        dag_id=dag_id,
        schedule=None,
        catchup=False,
        is_paused_upon_creation=False,
        params=params,
        tags=["people", "manual"],
        description=description,
        default_args={
            "owner": "people-team",
            "retries": 2,
            "retry_delay": timedelta(seconds=30),
            "on_failure_callback": alert_to("TRADEWINDS_ALERT_URL"),
        },
    )
