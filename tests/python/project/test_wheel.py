"""`pip install .` without --editable: the wheel is whole, and its command finds the project it is typed in."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ingestion.settings import PROJECT

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a wheel's packages, installed from a copy of what git tracks."""
    folder = tmp_path_factory.mktemp("wheel")
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=PROJECT, text=True)
    subprocess.run(["tar", "--null", "--files-from=-", "--create", "--file", folder / "project.tar"], cwd=PROJECT,
                   input=names, text=True, check=True)  # fmt: skip
    (folder / "project").mkdir()
    subprocess.run(
        ["tar", "--extract", "--file", folder / "project.tar", "--directory", folder / "project"], check=True
    )
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder]
    subprocess.run([*pip, folder / "project"], check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "packages")
    return folder / "packages"


def _type(installed: Path, folder: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(installed), "TRADEWINDS_HOME": str(home)}
    command = [sys.executable, "-P", "-c", "from pipeline.cli import main; main()", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_wheel_holds_every_file_of_its_packages(installed: Path) -> None:
    listed = subprocess.check_output(["git", "ls-files", "ingestion", "people_api", "pipeline"], cwd=PROJECT, text=True)
    assert [name for name in listed.splitlines() if not (installed / name).is_file()] == []


def test_an_installed_command_reads_the_project_of_the_current_folder(installed: Path, tmp_path: Path) -> None:
    listed = _type(installed, PROJECT / "models", tmp_path / "home", "sources", "list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "northwind" in listed.stdout
    lost = _type(installed, tmp_path, tmp_path / "home", "run")
    assert lost.returncode == 3
    assert lost.stderr == (
        f"tradewinds: {tmp_path} is no Tradewinds project: it has no .dlt/config.toml; run this in a checkout of one\n"
    )
    assert _type(installed, tmp_path, tmp_path / "home", "--version").returncode == 0
