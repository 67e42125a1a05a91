"""What the docs show is what happens: every shell block is run, in order, in a copy of the project.

With TRADEWINDS_EVERY_PAGE=1, the page that repeats other pages' commands and the days on Postgres are run as well.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.settings import PROJECT
from tests.python.clones import clone_project, fork_programs
from tests.python.forks import serving_forks
from tests.python.s3_servers import clean_environment

PAGES = (
    "README.md",
    "docs/lakehouse.md",  # publishes the day that README's commands have run
    "docs/commands.md",
    "docs/settings.md",
    "docs/marts.md",
    "docs/engines.md",
    "docs/agents.md",
    "CONTRIBUTING.md",
    "docs/first-steps.md",
    "docs/runbook.md",
    "docs/airflow.md",
    "docs/deploy.md",
    "docs/monitoring.md",
    "docs/lineage.md",
    "docs/architecture.md",
    "docs/decisions.md",
    "docs/style.md",
    # The last: the days of the others have no such source.
    "docs/add-a-source.md",
)
EVERY_PAGE = os.environ.get("TRADEWINDS_EVERY_PAGE") == "1"
REPEATING, ON_POSTGRES = ("docs/runbook.md",), "--target postgres"
LINKED = sorted({*PAGES, *(path.relative_to(PROJECT).as_posix() for path in (PROJECT / "docs").rglob("*.md"))})
_BLOCK = re.compile(
    r"(?P<skip><!-- not run by the docs test: (?P<reason>.+?) -->\n)?```sh\n(?P<commands>.*?)```", re.DOTALL
)


def _blocks(page: str) -> list[re.Match[str]]:
    return list(_BLOCK.finditer((PROJECT / page).read_text()))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's files as git has them, and an environment like the one that `make setup` makes."""
    return clone_project(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def environment(clone: Path) -> dict[str, str]:
    """The environment of a person who works in the clone."""
    # dbt's unit tests have inputs of their own and say the same in every home.
    environment = clean_environment() | {"PYTHONPATH": str(clone), "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}
    environment.pop("VIRTUAL_ENV", None)
    return environment


@pytest.fixture(scope="module")
def bench(clone: Path, environment: dict[str, str]) -> Iterator[Path]:
    """The clone, whose `tradewinds` and `dbt` are forked from a process that has imported the clone's code."""
    with serving_forks(environment, clone) as forks:
        fork_programs(clone, forks, "tradewinds", "dbt")
        yield clone


def _type(commands: str, clone: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def test_every_command_of_the_docs_works(bench: Path, environment: dict[str, str]) -> None:
    outputs = {}
    for page in PAGES if EVERY_PAGE else [page for page in PAGES if page not in REPEATING]:
        for block in _blocks(page):
            commands = block["commands"]
            if block["reason"] or (ON_POSTGRES in commands and not EVERY_PAGE):
                continue
            done = _type(commands, bench, environment)
            assert done.returncode == 0, f"{page}: {commands}\n{done.stdout}\n{done.stderr}"
            outputs[commands.strip()] = done.stdout
    answer = outputs["make run"]
    assert "generated sample data" in answer
    assert re.search(r"order_id +ordered_date +company_name", answer)
    assert "10248" in answer
    shown = re.search(r"```text\n(.*?)```", (PROJECT / "README.md").read_text(), re.DOTALL)[1]
    look = next(output for commands, output in outputs.items() if commands.startswith(".venv/bin/tradewinds status\n"))
    assert [line for line in shown.splitlines() if line not in [row.rstrip() for row in look.splitlines()]] == []
    with duckdb.connect(str(bench / "data" / "published" / "tradewinds.duckdb"), read_only=True) as published:
        assert published.execute("select count(*) from sales.fct_orders").fetchone()[0] >= 830
    assert (bench / "data" / "reports" / "index.html").is_file()
    assert not EmbeddedPostgres(bench / "data").is_running()
    by_script = _type(f"{PROJECT}/.venv/bin/tradewinds answer --limit 5", bench, environment)
    assert (by_script.returncode, by_script.stderr) == (0, "")
    assert by_script.stdout == _type(".venv/bin/tradewinds answer --limit 5", bench, environment).stdout != ""


def test_every_block_is_run_or_says_why_not() -> None:
    """A fence without `sh` holds no command to type."""
    for page in PAGES:
        text = (PROJECT / page).read_text()
        fenced = re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)
        assert not [body for kind, body in fenced if kind in ("bash", "shell", "console")], page
        assert len(_blocks(page)) == sum(kind == "sh" for kind, _ in fenced), page


@pytest.mark.parametrize("page", LINKED)
def test_every_link_leads_to_a_file(page: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", (PROJECT / page).read_text())
    local = [link.partition("#")[0] for link in links if "://" not in link]
    assert [link for link in local if not (PROJECT / page).parent.joinpath(link).exists()] == []


def test_the_readme_is_short_and_names_every_page() -> None:
    text = (PROJECT / "README.md").read_text()
    assert len(text.splitlines()) <= 180
    linked = set(re.findall(r"\]\((.+?)\)", text))
    assert [page for page in LINKED if page not in linked and not page.startswith(("docs/bi/", "README"))] == []


def test_the_make_verbs_are_listed() -> None:
    done = subprocess.run(["make"], cwd=PROJECT, check=True, capture_output=True, text=True, env=dict(os.environ))
    days = ("extract", "load", "build", "publish", "run")
    for verb in ("setup", *days, "docs", "serve", "picture", "test", "lint", "clean"):
        assert re.search(rf"make {verb}\b", done.stdout), verb
