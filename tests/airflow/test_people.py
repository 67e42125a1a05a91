"""The DAGs that a person triggers, against the real service, its database, and a bucket."""

from tests.airflow.conftest import World
from tests.airflow.server import wait_until


def test_a_file_goes_in_by_batches(world: World, tmp_path) -> None:
    before = world.service.counts("jobs")
    lines = [f"{id_},Job {id_}" for id_ in range(5001, 5026)]
    lines[7] = "5008,"
    (tmp_path / "jobs.csv").write_text("\n".join(["id,name", *lines]) + "\n")
    for _ in range(2):
        run = world.airflow.trigger("people_insert", table="jobs", file=str(tmp_path / "jobs.csv"), lines=10)
        assert world.airflow.finish("people_insert", run) == "success"
        batches = [task for task in world.airflow.tasks("people_insert", run) if task["task_id"] == "insert"]
        assert [task["rendered_map_index"] for task in sorted(batches, key=lambda task: task["map_index"])] == [
            "from line 1",
            "from line 11",
            "from line 21",
        ]
        assert world.service.counts("jobs") == (before[0] + 24, before[1] + 1)
    rejected = world.service.database.query("select payload from rejected_rows where table_name = 'jobs'")
    assert [text for (text,) in rejected if "5008" in text]


def test_a_table_goes_out_and_comes_back(world: World) -> None:
    people = world.by_airflow.people
    rows = people.query("select * from departments order by id")
    before = world.s3.texts("backups").keys()
    run = world.airflow.trigger("people_backup", tables=["departments", "jobs"])
    assert world.airflow.finish("people_backup", run) == "success"
    kept = world.s3.texts("backups").keys() - before
    assert sorted(name.split("/")[1] for name in kept if name.endswith(".avro")) == ["departments", "jobs"]
    people.execute("update departments set name = 'spoiled'")
    run = world.airflow.trigger("people_restore", table="departments")
    assert world.airflow.finish("people_restore", run) == "success"
    assert people.query("select * from departments order by id") == rows
    (task,) = world.airflow.tasks("people_restore", run)

    def kept_logs() -> list[str]:
        found = world.s3.texts(f"task-logs/dag_id=people_restore/run_id={run}")
        return [text for name, text in found.items() if "/task_id=restore/" in name]

    # Airflow keeps a log when its task has ended, not before.
    (log,) = wait_until(kept_logs, "the log is kept", 60)
    said = f"departments: {len(rows)} rows restored from s3://bucket/backups/departments/"
    assert said in log
    assert said in world.airflow.log_of(task)


def test_a_wrong_request_fails_at_once_and_tells_the_webhook(world: World) -> None:
    run = world.airflow.trigger("people_restore", table="departments", file="latest")
    assert world.airflow.finish("people_restore", run) == "failed"
    (task,) = world.airflow.tasks("people_restore", run)
    assert (task["try_number"], task["max_tries"]) == (1, 2)
    (line,) = [text for text in world.told if run in text]
    assert line.startswith(f"people_restore {run}: restore failed at try 1: tradewinds: ")
    assert "no name of a backup" in line
    assert len(line.splitlines()) == 1
