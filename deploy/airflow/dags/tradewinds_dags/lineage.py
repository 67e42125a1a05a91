"""What ties the events of a command to the task that ran it, when Airflow's OpenLineage provider sends any."""

from typing import Any

from airflow.providers.openlineage import conf


def parent_of_commands(context: Any) -> dict[str, str]:
    """Return OpenLineage's variables that name the task and its DAG run, `namespace/job/run id`; none if it is off."""
    if conf.is_disabled():
        return {}
    from airflow.providers.openlineage.plugins import macros

    task_instance = context["ti"]
    return {
        "OPENLINEAGE_PARENT_ID": macros.lineage_parent_id(task_instance),
        "OPENLINEAGE_ROOT_PARENT_ID": macros.lineage_root_parent_id(task_instance),
    }
