"""Build the nodes that a change touches, in a copy of the state's warehouse."""

import json
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ingestion.settings import PROJECT
from pipeline.slim_ci.state import WAREHOUSE_NAME, State, run_dbt

_BAD = ("error", "fail", "runtime error", "skipped")


@dataclass(frozen=True)
class Built:
    """A build's result: its warehouse, relations, test results and errors."""

    warehouse: Path
    relations: list[str]
    tests: dict[str, int]
    troubled: list[str]
    is_good: bool


def build_changed(state: State, home: Path) -> Built:
    """Build the nodes that differ from the state and their descendants, with their tests.

    The state's warehouse is copied to `slim_ci/` in the home, so that references to other nodes find the state's
    relations. DuckDB can't defer to another file, because views name their own file.
    """
    work = home / "slim_ci"
    shutil.rmtree(work, ignore_errors=True)
    warehouse = work / "warehouse" / WAREHOUSE_NAME
    warehouse.parent.mkdir(parents=True)
    shutil.copyfile(state.warehouse, warehouse)
    words = ["--select", "state:modified+", "--defer", "--state", str(state.folder)]
    variables = json.dumps({"run_date": state.run_date})
    is_good = run_dbt(PROJECT, work, work / "dbt", *words, "--vars", variables)
    return _read_results(warehouse, work / "dbt" / "run_results.json", is_good)


def _read_results(warehouse: Path, path: Path, is_good: bool) -> Built:
    """Read a build's artifacts; a project that can't be parsed has none."""
    results = json.loads(path.read_text(encoding="utf-8"))["results"] if path.is_file() else []
    relations, troubled = [], []
    tests: Counter[str] = Counter()
    for result in results:
        kind, _, name = result["unique_id"].split(".", 2)
        if result["status"] in _BAD:
            troubled.append(f"{kind} {name.partition('.')[0]}: {result['status']}")
        if kind in ("test", "unit_test"):
            tests[result["status"]] += 1
        elif kind in ("model", "snapshot", "seed"):
            relations.append(name)
    return Built(warehouse, sorted(relations), dict(tests), sorted(troubled), is_good)
