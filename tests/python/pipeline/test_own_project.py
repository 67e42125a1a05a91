"""`tradewinds init` writes a project that runs, passes its tests and has none of this project's sources."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.errors import BadRequest, Refused, StepFailed
from ingestion.sources import SOURCES
from pipeline.own_project import writing
from pipeline.own_project.writing import write_project
from tests.python.sandbox import Sandbox

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project, moved since it was written."""
    folder = tmp_path_factory.mktemp("own")
    told = Sandbox(folder / "home").succeed("init", str(folder / "new"))
    assert told.endswith(f"next: cd {folder / 'new'} && make run\n")
    assert not (folder / "home").exists()
    return shutil.move(folder / "new", folder / "moved")


def _type(project: Path, home: Path, *words: str) -> str:
    """Type a command of the project's own code, with this environment's packages, and return what it prints."""
    ours = ("TRADEWINDS_", "SOURCES__", "DLT_", "DBT_", "PYTEST_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {"PYTHONPATH": str(project), "TRADEWINDS_HOME": str(home)}
    command = [str(BIN / words[0]), *words[1:]]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.e2e
def test_a_new_project_passes_its_tests_and_draws_its_site(project: Path, tmp_path: Path) -> None:
    assert "2 passed" in _type(project, tmp_path, "python", "-m", "pytest", "-q", f"--basetemp={tmp_path / 'tests'}")
    home = tmp_path / "tests" / "home0"
    _type(project, home, "tradewinds", "docs")
    assert {page.name for page in (home / "reports").rglob("*.html")} >= {"index.html", "pipeline.html", "runs.html"}
    answer = _type(project, home, "tradewinds", "answer", "--format", "csv").splitlines()
    lines = (project / "example" / "rides.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in answer] == [line.partition(",")[0] for line in lines]
    verbs = _type(project, home, "tradewinds", "--help")
    assert not re.search(r"^  (init|people) ", verbs, re.MULTILINE)


def test_a_new_project_has_nothing_of_this_ones_sources(project: Path) -> None:
    names = "|".join([*SOURCES, "marketplace", "people_api", "samples"])
    files = [path.relative_to(project) for path in project.rglob("*") if path.is_file()]
    assert [str(path) for path in files if re.search(names, str(path))] == []
    assert [path.name for path in files if path.parts[0] == ".dlt"] == ["config.toml"]
    told = [
        path for path in files if path.suffix in (".toml", ".sql", ".yml", ".md", ".csv") and path.parts[0] != "macros"
    ]
    words = {path: set(re.findall(r"\w+", (project / path).read_text().lower())) for path in told}
    assert {str(path): found for path, text in words.items() if (found := text & (set(SOURCES) - {"people"}))} == {}


def test_what_its_files_read_is_there(project: Path) -> None:
    models = {path.stem for path in (project / "models").rglob("*.sql")}
    for path in [*(project / "models").rglob("*"), *(project / "dashboards").glob("*.yml")]:
        if path.is_file():
            assert set(re.findall(r"\bref\('(\w+)'\)", path.read_text())) <= models, path


@pytest.mark.parametrize("content", ["a file", "a full folder"])
def test_what_holds_something_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    place = tmp_path / "place"
    kept = place if content == "a file" else place / "kept"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine")
    with pytest.raises(BadRequest, match=f"^{place} exists and isn't an empty folder: name a new one$"):
        write_project(place)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]


def test_an_image_is_no_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "image").mkdir()
    monkeypatch.setattr(writing, "PROJECT", tmp_path / "image")
    with pytest.raises(Refused, match=r"image lacks .*Makefile"):
        write_project(tmp_path / "place")
    assert not (tmp_path / "place").exists()


@pytest.mark.parametrize("existed", [False, True])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existed: bool, failure: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise failure

    place = tmp_path / "place"
    if existed:
        place.mkdir()
    monkeypatch.setattr(writing, "_type", fail)
    with pytest.raises(StepFailed if isinstance(failure, OSError) else KeyboardInterrupt):
        write_project(place)
    assert list(tmp_path.rglob("*")) == ([place] if existed else [])
