"""`sources add` with a CSV file: landed, staged, reconciled, from its first day on."""

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from ingestion.errors import BadRequest, StepFailed
from ingestion.settings import PROJECT
from ingestion.source_settings import read_source_settings
from ingestion.sources import SOURCES, make_source
from ingestion.sources.csv_sniffing import sniff
from pipeline.own_sources import adding
from pipeline.own_sources.adding import add_source
from pipeline.own_sources.files import CATALOGUE_MODELS, OVERVIEW, SETTINGS
from tests.python.clones import clone_project, fork_programs
from tests.python.forks import serving_forks
from tests.python.sandbox import BUILT_DAY, NEXT_DAY, Sandbox

COLUMNS = (
    "shop_code", "order", "Opened On", "closed_on", "revenue", "rent", "city", "country", "zip_code", "manager",
    "staff_count", "floor_count", "latitude", "is_open", "updated_at", "phone", "segment", "type", "score", "notes",
)  # fmt: skip
SHOPS = 300
STANDING_ON_IT = ("stg_shops__shops", "stg_ops__raw_totals", "int_staging_totals", "int_stage_figures")


def _write_shops(path: Path) -> Path:
    lines = [";".join(COLUMNS)]
    for number in range(SHOPS):
        opened = date(2015, 1, 1) + timedelta(days=number)
        closed = opened + timedelta(days=900) if number % 3 else ""
        lines.append(
            f"S-{number:04d};{number % 7};{opened};{closed};{number * 17}.25;{number}.1234;"
            f'"Foz; ""PR""";BR;{number:05d};Ana;{number % 40};{number % 4};{number / 7:.6f};'
            f"{'true' if number % 2 else 'false'};{opened} 10:00:00;0{number};retail;x;{number * 1.5};"
        )
    with gzip.open(path, "wt") as file:
        file.write("\n".join([*lines, ""]))
    return path


class Own:
    """A copy of the project that works on a home."""

    def __init__(self, project: Path, home: Sandbox):
        self.project, self.home = clone_project(project), home
        places = {"DBT_TARGET_PATH": str(project / "target"), "DBT_LOG_PATH": str(project / "logs")}
        self.environment = home.environment | places | {"PYTHONPATH": str(project)}

    @contextmanager
    def forked(self) -> Iterator["Own"]:
        """Have the copy's commands forked from a process that has imported its code."""
        with serving_forks(self.environment, self.project) as forks:
            fork_programs(self.project, forks, "tradewinds", "dbt")
            yield self

    def run(self, *words: str, code: int = 0) -> str:
        """Type a command, expect this exit code, and return what it prints."""
        command = [str(self.project / ".venv" / "bin" / words[0]), *words[1:]]
        done = subprocess.run(command, cwd=self.project, env=self.environment, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def build(self, *models: str) -> str:
        return self.run("dbt", "build", "--vars", f"{{run_date: {BUILT_DAY}}}", "--select", *models)


@pytest.fixture
def own(built: Sandbox, tmp_path: Path) -> Iterator[Own]:
    with Own(tmp_path / "project", built).forked() as own:
        yield own


def test_a_csv_of_ones_own_is_staged_and_reconciled_from_its_first_day_on(own: Own, tmp_path: Path) -> None:
    built, file = own.home, _write_shops(tmp_path / "shops.csv.gz")
    added = ("tradewinds", "sources", "add", "shops", "--kind", "csv", "--path", str(file))
    told = own.run(*added, "--since", NEXT_DAY)
    assert "its key is a guess: shop_code" in told
    assert told.endswith("next: tradewinds run\n")
    assert own.run(*added, code=2).endswith("the name shops is taken\n")

    # The day before its first one neither needs it nor misses it.
    day = ("--run-date", BUILT_DAY)
    assert "shops" not in own.run("tradewinds", "load", *day)
    loaded = _loaded_rows(built)
    assert "shops isn't part of" in own.run("tradewinds", "extract", *day, "--source", "shops")
    own.run("tradewinds", "load", *day, "--source", "shops")
    assert _loaded_rows(built) == loaded > SHOPS
    own.build(*STANDING_ON_IT)
    assert built.query("select count(*) from staging.stg_shops__shops") == [(0,)]
    assert built.query("select count(*) from raw_ops.landed_tables where source = 'shops'") == [(0,)]
    assert not (built.home / "landing" / "_manifests" / "shops").exists()

    # On its first day it is needed, lands, is loaded, checked and built.
    own.environment["SOURCES__SHOPS__SINCE"] = BUILT_DAY
    assert "shops not loaded for this day" in own.run("tradewinds", "build", *day, code=3)
    for step in ("extract", "load", "check --stage arrivals"):
        own.run("tradewinds", *step.split(), *day, "--source", "shops")
    assert _loaded_rows(built) == loaded + SHOPS
    own.build(*STANDING_ON_IT, "fct_reconciliation")
    assert (built.home / "landing" / "csv" / "shops" / f"run_date={BUILT_DAY}").is_dir()
    assert built.query("""
        select read_count, rejected_at_extract_count, landed_count, raw_count, staging_count, is_reconciled,
            source_key_sum = staging_key_sum and staging_key_sum > 0
        from ops.fct_reconciliation where source_name = 'shops'
    """) == [(SHOPS, 0, SHOPS, SHOPS, SHOPS, True, True)]
    assert built.query("select broken_between from intermediate.int_stage_figures where source_name = 'shops'") == [
        (None,)
    ]
    ((order, opened, revenue, city, zip_code, latitude, kind),) = built.query("""
        select shops_order, opened_on, revenue, city, zip_code, latitude, shops_type from staging.stg_shops__shops
        where shop_code = 'S-0010'
    """)
    assert (order, opened, str(revenue), city) == (3, date(2015, 1, 11), "170.2500", 'Foz; "PR"')
    assert (zip_code, latitude, kind) == ("00010", 1.428571, "x")
    listed = own.run("tradewinds", "sources", "list", "--format", "csv").splitlines()
    assert listed[0] == "source,kind,place,data,last_landed"
    assert listed[-1] == f"shops,csv,{file},own,{BUILT_DAY}"


def test_a_source_that_comes_with_the_project_can_be_left_out(built: Sandbox) -> None:
    built.settings["SOURCES__COMMUNITY__ENABLED"] = "false"
    built.settings["SOURCES__EVENT_LOG__SINCE"] = (date.fromisoformat(NEXT_DAY) + timedelta(1)).isoformat()
    told = built.succeed("extract", "--run-date", NEXT_DAY)
    assert "community is left out, because its setting enabled is false" in told
    built.succeed("load", "--run-date", NEXT_DAY)
    loaded = built.query(f"select distinct source from raw_ops.landed_tables where run_date = '{NEXT_DAY}'")
    assert sorted(loaded) == [("northwind",), ("order_details",), ("people",)]
    done = built.dbt(
        "build", "--vars", f"{{run_date: {NEXT_DAY}}}", "--select", "+marts.community", "+marts.marketplace"
    )
    assert done.returncode == 0, done.stdout
    assert built.query("select count(*) from marketplace.availability_snapshot") == [(0,)]


def _loaded_rows(built: Sandbox) -> int:
    """Return the rows of the day that the ledger says are loaded."""
    return json.loads((built.home / "runs" / BUILT_DAY / "load.json").read_text())["rows"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the project that adding a source changes."""
    folder = tmp_path / "project"
    for name in (SETTINGS, OVERVIEW, *CATALOGUE_MODELS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / name, folder / name)
    monkeypatch.setattr(adding, "PROJECT", folder)
    return folder


def _files(folder: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize("name", ["Shops", "my shops", "my-shops", "2shops", "a__b", "../shops", ""])
def test_what_is_no_name_is_refused(project: Path, tmp_path: Path, name: str) -> None:
    before = _files(project)
    with pytest.raises(BadRequest, match="is no name of a source"):
        add_source(name, "csv", {"path": _write_shops(tmp_path / "shops.csv.gz")}, NEXT_DAY)
    assert _files(project) == before


@pytest.mark.parametrize("name", ["northwind", "event_log", "marketplace", "ops"])
def test_a_name_that_is_taken_is_refused(project: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRequest, match=f"^the name {name} is taken$"):
        add_source(name, "csv", {"path": _write_shops(tmp_path / "shops.csv.gz")}, NEXT_DAY)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "has no header"),
        (b"1,2\n3,4\n", "has no header"),
        (b"id,id\n1,2\n", "has no header"),
        (b"id,Id\n1,2\n3,4\n", "differ only in case|has no header"),
        (b"id,{{ x }}\n1,2\n", "can't be called '{{ x }}'"),
        (b"id,_run_date\n1,2\n", "can't be called '_run_date'"),
        (b"town,size\nLima,1\nLima,1\n", "has no column that may be its key"),
        (b"id,size\n", "has no column that may be its key|has no header"),
    ],
)
def test_a_file_that_no_source_can_be_is_refused(project: Path, tmp_path: Path, content: bytes, reason: str) -> None:
    file, before = tmp_path / "shops.csv", _files(project)
    file.write_bytes(content)
    with pytest.raises(BadRequest, match=reason):
        add_source("shops", "csv", {"path": file}, NEXT_DAY)
    assert _files(project) == before


def test_a_file_that_cannot_be_read_is_refused(project: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(_write_shops(tmp_path / "shops.csv.gz").read_bytes()[:500])
    for file in (tmp_path / "nowhere.csv", tmp_path, broken):
        with pytest.raises(BadRequest, match="can't be read"):
            add_source("shops", "csv", {"path": file}, NEXT_DAY)


def test_what_was_written_goes_again_when_one_file_cannot_be(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, before, write = _write_shops(tmp_path / "shops.csv.gz"), _files(project), Path.write_text

    def fail(path: Path, text: str, **options: str) -> int:
        if "stg_ops__raw_totals.sql" in path.name:
            raise OSError(28, "No space left on device")
        return write(path, text, **options)

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(StepFailed, match="No space left on device"):
        add_source("shops", "csv", {"path": file}, NEXT_DAY)
    assert {path: content for path, content in _files(project).items() if content is not None} == {
        path: content for path, content in before.items() if content is not None
    }
    assert not (project / "models" / "staging" / "shops").exists()


def test_what_lists_sources_lists_the_new_one(project: Path, tmp_path: Path) -> None:
    files, _ = add_source("shops", "csv", {"path": _write_shops(tmp_path / "shops.csv.gz")}, NEXT_DAY)
    changed = {name: (project / name).read_text() for name in files if (PROJECT / name).exists()}
    assert list(changed) == [SETTINGS, *CATALOGUE_MODELS, OVERVIEW]
    for name, text in changed.items():
        added = set(text.splitlines()) - set((PROJECT / name).read_text().splitlines())
        assert added, name
        assert name == SETTINGS or len(added) == 1, name
    assert "`raw_community`, `raw_shops` |\n" in changed[OVERVIEW]


def test_types_hold_every_value_as_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "shops.csv"
    file.write_text("size;id;zip;price;ratio;day;none\n1;A;01;1.5;0.123456;2021-01-02;\n1;B;02;2;1;2021-01-03;\n")
    delimiter, found = sniff("shops", file)
    assert (delimiter, found.key) == (";", ("id",))
    assert found.columns == {
        "size": "BIGINT", "id": "VARCHAR", "zip": "VARCHAR", "price": "DECIMAL(19, 4)", "ratio": "DOUBLE",
        "day": "DATE", "none": "VARCHAR",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "entries", "reason"),
    [
        ("Shops", 'kind = "csv"\ncolumns = {id = "BIGINT"}', "a source's name is"),
        ("shops", 'kind = "xml"', "unknown kind 'xml'; the kinds are csv, postgres, dlt, api"),
        ("shops", 'kind = "csv"', "expected columns"),
        ("shops", 'kind = "csv"\ncolumns = {id = "BIGINT"}\ndelimiter = "||"', "one character as delimiter"),
        ("shops", 'kind = "csv"\ncolumns = {id = "BIGINT"}\nsince = "soon"', "expected a day such as"),
        ("shops", 'kind = "csv"\ncolumns = {id = "BIGINT"}\nenabled = "perhaps"', "expected true or false as enabled"),
        ("shops", 'kind = "csv', "can't be read"),
    ],
)
def test_settings_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, entries: str, reason: str
) -> None:
    _set(tmp_path, monkeypatch, name, entries)
    with pytest.raises(BadRequest, match=reason):
        make_source(read_source_settings(name))


def test_a_source_is_part_of_the_days_that_its_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _set(tmp_path, monkeypatch, "shops", f'kind = "csv"\ncolumns = {{id = "BIGINT"}}\nsince = {NEXT_DAY}')
    assert not read_source_settings("shops").exists_on(NEXT_DAY)
    monkeypatch.setenv("SOURCES__SHOPS__PATH", "shops.csv")
    shops = read_source_settings("shops")
    assert [shops.exists_on(day) for day in (BUILT_DAY, NEXT_DAY)] == [False, True]
    monkeypatch.setenv("SOURCES__SHOPS__ENABLED", "false")
    assert not read_source_settings("shops").exists_on(NEXT_DAY)


@pytest.mark.parametrize(("setting", "value"), [("ENABLED", "false"), ("SINCE", "2021-01-02")])
def test_a_source_that_the_projects_models_need_is_part_of_every_day(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    for name in ("event_log", "community"):
        monkeypatch.setenv(f"SOURCES__{name.upper()}__{setting}", value)
        assert not type(SOURCES)()[name].settings.exists_on(BUILT_DAY)
    for name in ("northwind", "order_details", "people"):
        monkeypatch.setenv(f"SOURCES__{name.upper()}__{setting}", value)
        with pytest.raises(BadRequest, match=f"the project's models need {name} on every day"):
            len(type(SOURCES)())
        monkeypatch.delenv(f"SOURCES__{name.upper()}__{setting}")


def _set(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, entries: str) -> None:
    (folder / ".dlt").mkdir()
    (folder / ".dlt" / "config.toml").write_text(f"[sources.{name}]\n{entries}\n")
    monkeypatch.setenv("DLT_PROJECT_DIR", str(folder))
