"""What the docs show is what happens: every shell block is run, in order, in a copy of the project."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.settings import PROJECT
from tests.python.conftest import clean_environment

PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/first-steps.md",
    "docs/runbook.md",
    "docs/airflow.md",
    "docs/deploy.md",
    "docs/monitoring.md",
    "docs/architecture.md",
    "docs/decisions.md",
    "docs/style.md",
)
_BLOCK = re.compile(
    r"(?P<skip><!-- not run by the docs test: (?P<reason>.+?) -->\n)?```sh\n(?P<commands>.*?)```", re.DOTALL
)


def _blocks(page: str) -> list[re.Match[str]]:
    return list(_BLOCK.finditer((PROJECT / page).read_text()))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's files as git has them, with this environment standing for the one `make setup` makes."""
    folder = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / name, folder / name)
    (folder / ".venv").symlink_to(PROJECT / ".venv")
    return folder


def test_every_command_of_the_docs_works(clone: Path) -> None:
    environment = clean_environment() | {"PYTHONPATH": str(clone)}
    environment.pop("VIRTUAL_ENV", None)
    outputs = {}
    for page in PAGES:
        for block in _blocks(page):
            if block["reason"]:
                continue
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block["commands"]],
                cwd=clone,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, f"{page}: {block['commands']}\n{done.stdout}\n{done.stderr}"
            outputs[block["commands"].strip()] = done.stdout
    answer = outputs["make run"]
    assert "generated sample data" in answer
    assert re.search(r"order_id +ordered_date +company_name", answer)
    assert "10248" in answer
    with duckdb.connect(str(clone / "data" / "published" / "tradewinds.duckdb"), read_only=True) as published:
        assert published.execute("select count(*) from sales.fct_orders").fetchone()[0] >= 830
    assert (clone / "data" / "reports" / "index.html").is_file()
    assert not EmbeddedPostgres(clone / "data").is_running()


def test_every_block_is_run_or_says_why_not() -> None:
    """A fence without `sh` holds no command to type."""
    for page in PAGES:
        text = (PROJECT / page).read_text()
        fenced = re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)
        assert not [body for kind, body in fenced if kind in ("bash", "shell", "console")], page
        assert len(_blocks(page)) == sum(kind == "sh" for kind, _ in fenced), page


def test_the_make_verbs_are_listed() -> None:
    done = subprocess.run(["make"], cwd=PROJECT, check=True, capture_output=True, text=True, env=dict(os.environ))
    for verb in ("setup", "run", "extract", "load", "build", "publish", "docs", "serve", "test", "lint", "clean"):
        assert re.search(rf"make {verb}\b", done.stdout), verb


def test_the_lock_pins_versions_and_names_no_host() -> None:
    lines = [line for line in (PROJECT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+", line) for line in lines)
