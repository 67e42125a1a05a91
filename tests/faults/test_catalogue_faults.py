"""`sources add` and `init` killed at any line, odd names, a source that is removed and added again."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestion.errors import BadRequest
from ingestion.sources.looking import Looked, LookedTable, check_names
from pipeline.own_sources.files import describe_tables
from tests.faults.trials import IS_WHOLE, Fault
from tests.faults.worker import Worker, working
from tests.python.clones import clone_project
from tests.python.pipeline.test_own_source import Own
from tests.python.sandbox import BUILT_DAY, NEXT_DAY, Database, Sandbox

_WRITTEN = (".dlt", "models", "tests/expectations")
_ADDING = ["pipeline/own_sources/", "ingestion/files.py"]
_WRITING = ["pipeline/own_project/writing.py", "ingestion/stores/scratch.py"]
_MODULES = ("pipeline.cli", "pipeline.own_sources.adding", "pipeline.run.request", "pipeline.own_project.writing")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Worker]]:
    """A copy of the project, and a worker that types commands in it."""
    folder = clone_project(tmp_path_factory.mktemp("clone") / "project")
    with working(folder, *_MODULES) as worker:
        yield folder, worker


def _files(folder: Path, *parts: str) -> dict[str, bytes]:
    places = [folder / part for part in parts] or [folder]
    paths = [path for place in places for path in place.rglob("*") if path.suffix != ".pyc"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths if path.is_file()}


def test_adding_a_source_is_whole_or_undone(
    fault: Callable[[str], Fault], clone: tuple[Path, Worker], tmp_path: Path
) -> None:
    """After a kill, the next command finds all files as they were, or all as they are to be; it can be repeated."""
    folder, worker = clone
    (tmp_path / "shops.csv").write_text("shop_code,rent\nLIS-1,1.50\nOPO-1,2\n")
    add = ["sources", "add", "shops", "--kind", "csv", "--path", str(tmp_path / "shops.csv"), "--since", NEXT_DAY]
    errors, count = tmp_path / "errors", tmp_path / "count"
    home = {"TRADEWINDS_HOME": str(tmp_path / "home")}

    def typed(words: list[str], **more: object) -> int:
        return worker.ask(typed={"words": words, "traced": _ADDING} | more, environment=home, errors=str(errors))

    before = _files(folder, *_WRITTEN)
    assert typed(add, count=str(count)) == 0
    after, counting, undone = _files(folder, *_WRITTEN), fault("kill -9 in sources add"), 0
    assert len(after) > len(before)
    for chance in counting.trials(50, 6):
        _restore(folder, before)
        assert typed(add, kill_after=chance.randint(1, int(count.read_text()))) == -9, counting
        assert typed(["sources", "list"]) == 0, counting
        found = _files(folder, *_WRITTEN)
        assert found in (before, after), (counting, {*found} ^ {*before}, {*found} ^ {*after})
        undone += found == before
        assert typed(add) == int(found == after), (counting, errors.read_text())
        assert found == before or "the name shops is taken" in errors.read_text(), counting
        counting.converged(_files(folder, *_WRITTEN), after)
    assert undone
    _restore(folder, before)


def _restore(folder: Path, files: dict[str, bytes]) -> None:
    for name in {*_files(folder, *_WRITTEN), *files}:
        path = folder / name
        if name not in files:
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
        elif not path.exists() or path.read_bytes() != files[name]:
            path.write_bytes(files[name])


def test_a_new_project_is_whole_or_not_there(
    fault: Callable[[str], Fault], clone: tuple[Path, Worker], tmp_path: Path
) -> None:
    """After a kill of `init` the folder isn't there, and the same command writes it."""
    _, worker = clone
    count = tmp_path / "count"

    def typed(folder: Path, **more: object) -> int:
        return worker.ask(typed={"words": ["init", str(folder)], "traced": _WRITING} | more)

    assert typed(tmp_path / "whole", count=str(count)) == 0
    wanted, counting = _files(tmp_path / "whole"), fault("kill -9 in init")
    for chance in counting.trials(10, 1):
        folder = tmp_path / "project"
        assert typed(folder, kill_after=chance.randrange(1, int(count.read_text()))) == -9, counting
        assert not folder.exists() or _files(folder) == wanted, counting
        assert folder.exists() or typed(folder) == 0, counting
        counting.converged(_files(folder), wanted)
        shutil.rmtree(folder)
        shutil.rmtree(tmp_path / ".project.init", ignore_errors=True)  # if the project was whole


LONG = "x" * 63


def test_names_that_an_engine_would_cut_or_mix_up_are_refused_or_shortened() -> None:
    """Postgres cuts names after 63 bytes: of two that begin alike, one would be lost."""
    for name in (LONG + "x", "é" * 32):
        for tables in ({"t": ["id", name]}, {name: ["id"]}):
            with pytest.raises(BadRequest, match=r"more than 63 bytes|can't be called"):
                check_names("the file", tables)
    with pytest.raises(BadRequest, match="differ only in case"):
        check_names("the file", {"t": ["Größe", "GRÖSSE".replace("SS", "ß")]})
    check_names("the file", {LONG: ["id", LONG, "é" * 31]})
    columns = {"id": "BIGINT", LONG: "VARCHAR", LONG[:-1] + "y": "VARCHAR", "Größe": "DOUBLE", "größe ": "DOUBLE"}
    tables = [LookedTable(name, columns, ("id",)) for name in (LONG, LONG[:-1] + "y")]
    described = describe_tables("y" * 40, Looked("", "table", tables, {}))
    names = [table.model for table in described]
    for found in (names, *([column.staged for column in table.columns] for table in described)):
        assert len({*found}) == len(found)
        assert all(len(name.encode()) <= 63 for name in found)


_ODD = """
create table "order" ("select" integer primary key, "from" text, "Group" text, "größe" numeric(8, 2),
    "a b" date, "{long}" text, "{other}" text);
insert into "order" select i, 'x', 'y', i, '2021-01-01', 'l' || i, 'm' from generate_series(1, 9) as i;
create table "{long}" (id integer primary key, "user" text); insert into "{long}" values (1, 'a'), (2, 'b');
"""


@pytest.mark.skipif(not IS_WHOLE, reason="it builds models three times")
def test_odd_names_are_loaded_and_staged_and_a_source_comes_back(
    built: Sandbox, new_database: Callable[[], Database], tmp_path: Path
) -> None:
    """Sources and tables called like SQL words; one is removed and added again."""
    database = new_database()
    database.execute(_ODD.format(long=LONG, other=LONG[:-1] + "y"))
    (tmp_path / "select.csv").write_text("table,where,Order By\n1,a,x\n2,b,y\n")
    with Own(tmp_path / "project", built).forked() as own:
        words = ("tradewinds", "sources", "add")
        before = _files(own.project, *_WRITTEN)
        added = (*words, "select", "--kind", "csv", "--path", str(tmp_path / "select.csv"), "--since", BUILT_DAY)
        own.run(*added)
        own.run(*words, "user", "--kind", "postgres", "--url", database.url, "--since", BUILT_DAY)
        day = ("--run-date", BUILT_DAY, "--source", "select", "--source", "user")
        for step in ("extract", "load"):
            own.run("tradewinds", step, *day)
        models = ["stg_select__select", "stg_user__order", f"stg_user__{LONG}"[:59], "stg_ops__raw_totals"]
        own.build(*models, "int_staging_totals", "int_stage_figures")
        assert built.query("select count(*), sum(cast(user_select as integer)) from staging.stg_user__order") == [
            (9, 45)
        ]
        selected = "select select_table, select_where, order_by from staging.stg_select__select order by 1"
        assert built.query(selected) == [(1, "a", "x"), (2, "b", "y")]
        assert built.query("""
            select source_name, table_name, staging_count, broken_between from intermediate.int_stage_figures
            where source_name in ('select', 'user') order by 1, 3
        """) == [("select", "select", 2, None), ("user", LONG, 2, None), ("user", "order", 9, None)]

        _restore(own.project, before)
        own.run("tradewinds", "load", "--run-date", BUILT_DAY)
        own.build("stg_ops__raw_totals", "int_staging_totals", "int_stage_figures")
        own.run(*added)
        own.run("tradewinds", "load", "--run-date", BUILT_DAY, "--source", "select")
        own.build("stg_select__select", "stg_ops__raw_totals", "int_staging_totals", "int_stage_figures")
        assert built.query("select count(*) from staging.stg_select__select") == [(2,)]
