"""`make slim-ci` builds only what a change affects, and reports how the marts change."""

import json
import re
import subprocess
from pathlib import Path

import duckdb
import pytest

from ingestion.settings import PROJECT
from pipeline.dbt.project import published_marts
from pipeline.slim_ci.comparison import compare_marts
from pipeline.slim_ci.state import State
from tests.python.clones import clone_project, fork_programs
from tests.python.s3_servers import clean_environment
from tests.python.sandbox import forks

MART = "models/marts/sales/dim_shippers.sql"
BROKEN = "models/marts/sales/fct_orders.sql"
_REF = re.compile(r"ref\('(\w+)'\)")


class Scratch:
    """A copy of the project with a repository of its own, whose working tree is the change."""

    def __init__(self, folder: Path):
        self.folder, self.home = clone_project(folder), folder / "data"
        fork_programs(folder, forks(), "dbt")  # none of whose code is the project's
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message", "before")

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.folder, check=True)

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `make` with these words against the committed state."""
        environment = clean_environment() | {"BASE": "HEAD", "SOURCES__EVENT_LOG__PATH": "/nowhere"}
        environment.pop("VIRTUAL_ENV", None)
        return subprocess.run(["make", *words], cwd=self.folder, env=environment, capture_output=True, text=True)

    def replace(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert text.count(old) == 1, path
        (self.folder / path).write_text(text.replace(old, new))

    @property
    def report(self) -> str:
        return (self.home / "reports" / "changes.md").read_text()

    def built(self) -> set[str]:
        """Return the models and snapshots that the report says were built."""
        found = re.search(r"^Built \d+, as modified or standing on what is: (.+)\.$", self.report, re.MULTILINE)
        return set(re.findall(r"`(\w+)`", found[1])) if found else set()

    def query(self, path: str, statement: str) -> list[tuple]:
        with duckdb.connect(str(self.home / path), read_only=True) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A copy of the project, with what its commit builds kept to be compared with."""
    scratch = Scratch(tmp_path_factory.mktemp("scratch"))
    done = scratch.make("slim-ci-state")
    assert done.returncode == 0, done.stdout + done.stderr
    return scratch


@pytest.fixture
def unchanged(scratch: Scratch) -> Scratch:
    scratch.git("checkout", "--quiet", ".")
    return scratch


def _standing_on(model: str) -> set[str]:
    """Return a model and all that refers to it, by the words of the project's SQL and YAML alone."""
    paths = [*(PROJECT / "models").rglob("*.sql"), *(PROJECT / "snapshots").glob("*.yml")]
    refers = {path.stem: set(_REF.findall(path.read_text())) for path in paths}
    found, ahead = set(), {model}
    while ahead:
        found |= ahead
        ahead = {name for name, refs in refers.items() if refs & ahead} - found
    return found


@pytest.mark.e2e
def test_only_what_is_touched_is_built_and_named(unchanged: Scratch) -> None:
    state = "slim_ci_state/tradewinds.duckdb"
    shippers = "from sales.dim_shippers where company_name <> upper(company_name)"
    ((lower,),) = unchanged.query(state, f"select count(*) {shippers}")
    assert lower > 0
    unchanged.replace(MART, "        company_name,", "        upper(company_name) as company_name,")
    done = unchanged.make("slim-ci")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "has the marts of" in done.stdout  # of the commit that had been built: it isn't built again
    assert len(list((unchanged.home / "slim_ci_state").iterdir())) == 3
    assert unchanged.built() == _standing_on("dim_shippers")
    rows = re.findall(r"^\| `([\w.]+)` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", unchanged.report, re.MULTILINE)
    ((mart, count, columns, hashes, words),) = rows
    assert (mart, count, columns) == ("sales.dim_shippers", *map(str, unchanged.query(state, """
        select
            (select count(*) from sales.dim_shippers),
            (select count(*) from duckdb_columns() where table_name = 'dim_shippers' and schema_name = 'sales')
    """)[0]))  # fmt: skip
    assert re.fullmatch(r"`[0-9a-f]{12}` → `[0-9a-f]{12}`", hashes)
    assert words == f"{lower} changed"
    assert unchanged.query(state, f"select count(*) {shippers}") == [(lower,)]
    assert unchanged.query("slim_ci/warehouse/tradewinds.duckdb", f"select count(*) {shippers}") == [(0,)]


@pytest.mark.e2e
def test_a_change_that_fails_its_tests_fails_and_is_reported(unchanged: Scratch) -> None:
    unchanged.replace(BROKEN, "accepted_orders.ordered_date as integer", "accepted_orders.ordered_date + 1 as integer")
    done = unchanged.make("slim-ci")
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("slim-ci: ")]
    assert line.startswith("slim-ci: the build failed: ")
    assert "unit_test fct_orders" in line
    assert "**The build failed.**" in unchanged.report
    assert "- unit_test fct_orders: fail" in unchanged.report


@pytest.mark.e2e
def test_nothing_modified_builds_nothing(unchanged: Scratch) -> None:
    done = unchanged.make("slim-ci")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Built no model: none is modified." in unchanged.report
    assert re.search(r"^(\d+) of \1 marts are as they were\.$", unchanged.report, re.MULTILINE)


@pytest.mark.e2e
def test_what_is_asked_wrongly_is_one_line(unchanged: Scratch) -> None:
    for words, line in (
        (["state", "--base", "nowhere", "--run-date", "2021-01-01"], "slim-ci: git knows no commit 'nowhere'"),
        (["state", "--base", "HEAD", "--run-date", "soon"], "slim-ci: 'soon' is not a day; a run date is written"),
        (["compare"], "slim-ci: "),
    ):
        command = [".venv/bin/python", "-m", "pipeline.slim_ci", *words, "--state", "data/nothing"]
        done = subprocess.run(command, cwd=unchanged.folder, capture_output=True, text=True)
        assert done.returncode == (3 if words == ["compare"] else 2)
        assert done.stderr.startswith(line)
        assert done.stderr.count("\n") == 1
    assert not (unchanged.home / "nothing").exists()


def _state(folder: Path, tables: dict[str, str]) -> State:
    """Make a state whose marts are these queries."""
    state = State(folder, "0" * 40, "2021-01-01")
    with duckdb.connect(str(state.warehouse)) as connection:
        connection.execute("create schema sales")
        for name, query in tables.items():
            connection.execute(f"create table sales.{name} as {query}")
    node = {"resource_type": "model", "schema": "sales", "path": "marts/sales/x.sql"}
    nodes = {name: node | {"alias": name} for name in tables}
    (folder / "manifest.json").write_text(json.dumps({"nodes": nodes}))
    return state


def test_new_removed_and_retyped_marts_are_told_apart(tmp_path: Path) -> None:
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
    before = {"dim_shippers": "select 1 as shipper_id, 'one' as phone", "dim_gone": "select 1 as x"}
    after = {"dim_shippers": "select 1::bigint as shipper_id, 'one' as phone", "dim_dates": "select 1 as date_day"}
    state = _state(tmp_path / "before", before)
    differences, marts = compare_marts(state, _state(tmp_path / "after", after).warehouse)
    assert {difference.mart: difference.words for difference in differences} == {
        "sales.dim_dates": "new",
        "sales.dim_gone": "removed",
        "sales.dim_shippers": "column shipper_id INTEGER → BIGINT",
    }
    assert marts == len(published_marts()) + 1
