"""pipelines.yaml: what the project ships, and what is said of a file that is wrong."""

import itertools
import json
import os
import re
import subprocess
from pathlib import Path

import yaml

from ingestion.settings import PROJECT, Home
from ingestion.sources import SOURCES
from ingestion.warehouse import open_warehouse

FOLDER = PROJECT / "deploy" / "airflow"
HEAD = "sources: [northwind, people]\ntargets: [duckdb]\n"
GOOD = "{name: good, schedule: daily, sources: all, target: duckdb, owner: me}"
_READ = """
import json, sys
from pathlib import Path
from tradewinds_dags.definitions import read_definitions
from tradewinds_dags.factory import make_dags
for file in sys.argv[1:]:
    read = read_definitions(Path(file))
    dags = {
        dag.dag_id: {
            "cron": getattr(dag.timetable, "expression", None),
            "starts_on": [asset.name for asset in dag.schedule] if isinstance(dag.schedule, list) else [],
            "updates": {task.task_id: [asset.name for asset in task.outlets] for task in dag.tasks if task.outlets},
            "owner": dag.owner,
            "tasks": {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks},
            "words": {task.task_id: task.words for task in dag.tasks if hasattr(task, "words")},
        }
        for dag in make_dags(read)
    }
    print(json.dumps({"dags": dags, "faults": read.faults}))
"""

# Publishes by a command that prints the ledger's entry; says what the Asset's event holds, or that none is.
_PUBLISH = """
import os, sys
from types import SimpleNamespace
from airflow.sdk.exceptions import AirflowSkipException
from tradewinds_dags.published import PublishOperator, published
for os.environ["TRADEWINDS_COMMAND"] in sys.argv[1:]:
    event = SimpleNamespace(extra={})
    try:
        operator = PublishOperator(task_id="publish", words=[], target="duckdb")
        operator.execute({"outlet_events": {published("duckdb"): event}})
        print("{updated}", event.extra)
    except AirflowSkipException as skipped:
        print("{skipped}", skipped)
"""


def _read(home: Path, *files: Path) -> list[dict]:
    """Return the DAGs and the faults of each file, as Airflow's environment reads them."""
    return [json.loads(line) for line in _run(_READ, home, *files)]


def _run(script: str, home: Path, *words: Path) -> list[str]:
    """Return the lines in braces that a script prints in Airflow's environment."""
    done = subprocess.run(
        [PROJECT / ".venv-airflow" / "bin" / "python", "-c", script, *words],
        env=dict(os.environ) | {"AIRFLOW_HOME": str(home), "PYTHONPATH": str(FOLDER / "dags")},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if line.startswith("{")]


def test_the_names_are_those_that_tradewinds_knows(tmp_path: Path) -> None:
    shipped = yaml.safe_load((FOLDER / "pipelines.yaml").read_text())
    assert shipped["sources"] == list(SOURCES)
    for target in shipped["targets"]:
        open_warehouse(target, Home(tmp_path))
    pools = json.loads((FOLDER / "pools.json").read_text())
    assert {name: pool["slots"] for name, pool in pools.items()} == {f"warehouse_{n}": 1 for n in shipped["targets"]}


def test_the_shipped_pipelines_are_a_day_a_week_and_a_month(tmp_path: Path) -> None:
    (read,) = _read(tmp_path, FOLDER / "pipelines.yaml")
    assert read["faults"] == []
    assert {name: dag["cron"] for name, dag in read["dags"].items()} == {
        "daily": "0 0 * * *",
        "weekly_postgres": "0 0 * * 1",
        "monthly_people": "0 0 1 * *",
        "site": None,
    }
    site = read["dags"].pop("site")
    assert (site["starts_on"], site["words"]) == (["tradewinds_duckdb"], {"docs": ["docs", "--target", "duckdb"]})
    assert {name: (dag["starts_on"], dag["updates"]) for name, dag in read["dags"].items()} == {
        "daily": ([], {"publish": ["tradewinds_duckdb"]}),
        "weekly_postgres": ([], {"publish": ["tradewinds_postgres"]}),
        "monthly_people": ([], {}),
    }
    daily = read["dags"]["daily"]
    extracts = {f"extract_{source}": ["take_turn"] for source in SOURCES}
    steps = ["take_turn", "load", "check_arrivals", "build", "check_marts", "publish"]
    assert daily["tasks"] == extracts | {step: [after] for step, after in itertools.pairwise(steps)} | {"publish": []}
    assert set(daily["words"]["build"]) & {"--source"} == set()
    people = read["dags"]["monthly_people"]
    assert list(people["tasks"]) == ["extract_people", "take_turn", "load", "check_arrivals"]
    assert people["words"]["load"][-4:] == ["--target", "postgres", "--source", "people"]
    assert people["owner"] == "people-team"


def test_a_fault_names_file_and_key_and_spares_the_others(tmp_path: Path) -> None:
    faulty = {
        "{schedule: daily, sources: all, target: duckdb, owner: me}": "number 2: name: missing",
        GOOD.replace("good", "Bad-Name"): "Bad-Name: name: String should match pattern",
        GOOD.replace("good", "bad").replace("daily", "hourly"): "bad: schedule: 'hourly' is none; write daily, weekly",
        GOOD.replace("good", "bad").replace("daily", "'61 * * * *'"): "bad: schedule: '61 * * * *' is none",
        GOOD.replace("good", "bad").replace("all", "[sales]"): "bad: sources: unknown source 'sales'; the sources are",
        GOOD.replace("good", "bad").replace("all", "[people, people]"): "bad: sources: ",
        GOOD.replace("good", "bad").replace("all", "[]"): "bad: sources: ",
        GOOD.replace("good", "bad").replace("duckdb", "oracle"): "bad: target: unknown target 'oracle'; the",
        GOOD.replace("good", "bad").replace("}", ", retries: '2'}"): "bad: retries: Input should be a valid integer",
        GOOD.replace("good", "bad").replace("}", ", colour: red}"): "bad: colour: unknown key",
        GOOD.replace("good", "bad").replace("}", ", alerts: 'https://hook'}"): "bad: alerts: String should match",
        "just words": "number 2: entry: Input should be",
    }
    files = []
    for place, entry in enumerate(faulty):
        files.append(tmp_path / f"{place}.yaml")
        files[-1].write_text(f"{HEAD}pipelines:\n  - {GOOD}\n  - {entry}\n")
    for file, read, expected in zip(files, _read(tmp_path, *files), faulty.values(), strict=True):
        assert list(read["dags"]) == ["good"]
        (line,) = read["faults"]
        assert line.startswith(f"{file}: pipelines: {expected}")


def test_a_file_that_is_wrong_as_a_whole_is_one_line(tmp_path: Path) -> None:
    twins = f"{HEAD}pipelines:\n  - {GOOD}\n  - {GOOD}\n  - {GOOD.replace('good', 'other')}\n"
    wrong = {
        "pipelines: [": r" is no YAML: .* line \d+",
        "{}": ": pipelines: missing, or no list",
        "pipelines: []": ": sources: missing",
        f"{HEAD}pipeline: 1\npipelines: []": ": pipeline: unknown key",
        f"{HEAD}site: oracle\npipelines: []": ": site: unknown target 'oracle'; the targets are duckdb",
        twins: ": pipelines: good: name: stands there 2 times",
        twins.replace("good", "site").replace("sources", "site: duckdb\nsources", 1): ": pipelines: site: name: stands",
    }
    files = []
    for place, text in enumerate(wrong):
        files.append(tmp_path / f"{place}.yaml")
        files[-1].write_text(text)
    reads = _read(tmp_path, *files, tmp_path / "missing.yaml")
    for file, read, expected in zip(files, reads[:-1], wrong.values(), strict=True):
        assert re.match(re.escape(str(file)) + expected, read["faults"][0]), read["faults"]
    assert list(reads[list(wrong).index(twins)]["dags"]) == ["other"]
    assert reads[-1]["faults"][0].startswith(f"{tmp_path}/missing.yaml can't be read: ")


def test_publishing_an_older_day_is_skipped_and_updates_no_asset(tmp_path: Path) -> None:
    commands = []
    for version in ('"2021-01-01-abc"', "null"):
        entry = f'{{"step": "publish", "run_date": "2021-01-01", "rows": 3, "version": {version}}}'
        commands.append(tmp_path / f"command_{len(commands)}")
        commands[-1].write_text(f"#!/bin/sh\n[ \"$*\" = '--format json' ] && echo '{entry}'\n")
        commands[-1].chmod(0o700)
    assert _run(_PUBLISH, tmp_path, *commands) == [
        "{updated} {'version': '2021-01-01-abc', 'run_date': '2021-01-01'}",
        "{skipped} readers of duckdb have a newer version than 2021-01-01",
    ]
