"""The state to compare a change with: a commit's dbt manifest, and its warehouse with one day of sample data."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.errors import BadRequest, Refused, StepFailed
from ingestion.settings import PROJECT

WAREHOUSE_NAME = "tradewinds.duckdb"
_BIN = Path(sys.executable).parent
# Settings of a user's own runs must not affect a comparison.
_SETTINGS = ("SOURCES__", "TRADEWINDS_", "PEOPLE_", "DLT_", "DBT_")


@dataclass(frozen=True)
class State:
    """A folder with `manifest.json`, `tradewinds.duckdb` and `state.json`, which holds the commit and the day."""

    folder: Path
    commit: str
    run_date: str

    @property
    def warehouse(self) -> Path:
        return self.folder / WAREHOUSE_NAME


def read_state(folder: Path) -> State:
    """Return the state in a folder; raises Refused when there is none."""
    try:
        noted = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        reason = f"{folder} holds no state to compare with"
        raise Refused(reason, f"make slim-ci-state STATE={folder}") from error
    return State(folder, noted["commit"], noted["run_date"])


def build_state(folder: Path, revision: str, run_date: str) -> State:
    """Build a commit's marts from the sample data of a day; an existing state of both is reused.

    The folder is complete or absent. Raises BadRequest on a revision that git doesn't know, StepFailed.
    """
    commit = _commit_of(revision)
    if (folder / "state.json").is_file():
        state = read_state(folder)
        if (state.commit, state.run_date) == (commit, run_date):
            return state
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
        work = Path(name)
        _check_out(commit, work / "project")
        try:
            _build_day(work, run_date)
        finally:
            EmbeddedPostgres(work / "home").remove()
        draft = work / "state"
        draft.mkdir()
        (work / "dbt" / "manifest.json").replace(draft / "manifest.json")
        (work / "home" / "warehouse" / WAREHOUSE_NAME).replace(draft / WAREHOUSE_NAME)
        (draft / "state.json").write_text(json.dumps({"commit": commit, "run_date": run_date}) + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        draft.replace(folder)
    return read_state(folder)


def run_dbt(project: Path, home: Path, target_path: Path, *words: str) -> bool:
    """Run `dbt build` on DuckDB with a project, a home and a folder for artifacts; return whether it succeeded."""
    command = [str(_BIN / "dbt"), "--log-path", str(target_path), "build", "--target", "duckdb"]
    places = ["--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(target_path)]
    return subprocess.run([*command, *places, *words], env=_environment(project, home), cwd=project).returncode == 0


def _commit_of(revision: str) -> str:
    command = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    found = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    if found.returncode:
        raise BadRequest(f"git knows no commit {revision!r}")
    return found.stdout.strip()


def _check_out(commit: str, folder: Path) -> None:
    """Check a commit's files out into a new folder, without touching the repository and its working tree."""
    archive = subprocess.run(["git", "archive", commit], cwd=PROJECT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")


def _build_day(work: Path, run_date: str) -> None:
    """Land, load and build a day with the project's own commands and this environment's packages."""
    project, home = work / "project", work / "home"
    for step in ("extract", "load"):
        command = [str(_BIN / "tradewinds"), step, "--run-date", run_date]
        if subprocess.run(command, env=_environment(project, home), cwd=project).returncode:
            raise StepFailed(f"the commit to compare with can't {step} {run_date}; its line is above")
    if not run_dbt(project, home, work / "dbt", "--quiet", "--vars", json.dumps({"run_date": run_date})):
        raise StepFailed("the commit to compare with can't be built; dbt's lines are above")


def _environment(project: Path, home: Path) -> dict[str, str]:
    """Return the environment for the project's own code: a separate home, DuckDB, and the sample."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    return kept | {"PYTHONPATH": str(project), "TRADEWINDS_HOME": str(home), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
