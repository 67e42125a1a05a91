"""`sources add` with a database, a dlt resource and an API: landed, staged, reconciled."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from ingestion import catalogue
from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.errors import BadRequest, StepFailed
from ingestion.extract import extract_source
from ingestion.landing import Column, Manifest
from ingestion.settings import PROJECT, Home
from ingestion.source_settings import read_source_settings
from ingestion.sources import dlt_reading, make_source
from ingestion.sources.api import ApiReading, Field, Shape
from ingestion.sources.api.pages import Page
from ingestion.sources.looking import Looked
from pipeline.own_sources import adding
from pipeline.own_sources.adding import add_source
from pipeline.own_sources.files import CATALOGUE_MODELS, OVERVIEW, SECRETS, SETTINGS
from tests.python.built import BuiltHomes
from tests.python.community import FaultyApi, small_rows
from tests.python.pipeline.test_own_source import Own
from tests.python.sandbox import BUILT_DAY, NEXT_DAY, Database, make_database

DAY = ("--run-date", BUILT_DAY)
OURS = ("--source", "erp", "--source", "tides", "--source", "hub")
# The last invoice is in the year infinity, which no reader agrees on.
ERP = """
create schema books;
create table books."Invoices" (
    invoice_no integer, line smallint, "Order" text, amount numeric(12, 2), due date, paid_at timestamptz, scan bytea,
    primary key (invoice_no, line)
);
insert into books."Invoices"
select n / 3, n % 3, 'o' || n, n * 1.25, date '2021-01-01' + n, timestamptz '2021-01-01 10:00+02', 'x'
from generate_series(1, 200) as n;
insert into books."Invoices" values (900, 1, 'never', 1, 'infinity', null, null);
create table books.notes (weight double precision, code text);
insert into books.notes values (1.5, 'a'), (1.5, 'b');
create table books.left_alone (id integer primary key);
"""
TIDES = """
from datetime import datetime, timezone

import dlt


@dlt.source
def tides():
    @dlt.resource(primary_key="tide_id")
    def levels():
        for number in range(120):
            at = datetime(2021, 1, 1, number % 24, tzinfo=timezone.utc)
            yield {"tide_id": number, "Port Name": "Foz", "level": number / 8, "at": at, "marks": [1, {"b": number}]}

    @dlt.resource
    def ports():
        yield [{"name": "Foz", "is_open": True}, {"name": "Sines", "is_open": None}]

    return levels, ports
"""
STAGED = (
    "stg_erp__invoices",
    "stg_erp__notes",
    "stg_tides__levels",
    "stg_tides__ports",
    "stg_hub__users",
    "stg_hub__todos",
)
MODELS = (
    *STAGED,
    "rejected_rows",
    "stg_ops__raw_totals",
    "int_staging_totals",
    "int_stage_figures",
    "fct_reconciliation",
)


def _make_erp(server: EmbeddedPostgres) -> Database:
    database = make_database(server)
    database.execute(ERP)
    return database


@pytest.fixture(scope="module")
def api() -> Iterator[FaultyApi]:
    """A small community, served."""
    server = FaultyApi(small_rows())
    with server.running():
        yield server


@pytest.fixture(scope="module")
def own(
    built_homes: BuiltHomes, server: EmbeddedPostgres, api: FaultyApi, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Own]:
    """A built home with a source of each kind beside the others: added, extracted, loaded, and staged."""
    folder = tmp_path_factory.mktemp("kinds")
    own = Own(folder / "project", built_homes.copy(folder))
    (own.project / "my_sources").mkdir()
    (own.project / "my_sources" / "tides.py").write_text(TIDES)
    with own.forked():
        add, since = ("tradewinds", "sources", "add"), ("--since", BUILT_DAY)
        erp = ("--url", _make_erp(server).url, "--schema", "books", "--table", "Invoices", "--table", "notes")
        own.told = own.run(*add, "erp", "--kind", "postgres", *erp, *since)
        own.told += own.run(*add, "tides", "--kind", "dlt", "--resource", "my_sources.tides:tides", *since)
        hub = ("--base-url", api.url, "--resource", "users", "--resource", "todos")
        own.told += own.run(*add, "hub", "--kind", "api", *hub, *since)
        api.rows["users"].append(b'{"name": "nobody"}')
        for step in ("extract", "load"):
            own.told += own.run("tradewinds", step, *DAY, *OURS)
        own.build(*MODELS)
        yield own


@pytest.mark.e2e
def test_a_database_of_ones_own_is_staged_and_reconciled(own: Own) -> None:
    assert "its key is invoice_no and line\n" in own.told
    assert "its key is a guess: code is" in own.told
    assert _reconciled(own, "erp") == {"Invoices": (201, 1, 200, 200, True, True), "notes": (2, 0, 2, 2, True, True)}
    assert own.home.query("""
        select invoice_no, line, erp_order, amount, due::text, paid_at::text, scan from staging.stg_erp__invoices
        where invoice_no = 1 and line = 1
    """) == [(1, 1, "o4", 5, "2021-01-05", "2021-01-01 08:00:00+00", b"x")]
    assert "is_unique_combination" in (own.project / "models/staging/erp/stg_erp__invoices.yml").read_text()
    landed = own.home.home / "landing" / "postgres" / "erp"
    assert sorted(path.name for path in landed.iterdir()) == ["Invoices", "notes"]


def test_a_databases_url_is_kept_in_no_file_that_git_has_and_in_no_output(own: Own) -> None:
    (password,) = {line for line in (own.project / SECRETS).read_text().splitlines() if "credentials" in line}
    password = password.rpartition("@")[0].rpartition(":")[2]
    assert len(password) > 8
    listed = own.run("tradewinds", "sources", "list", "--format", "csv")
    assert password not in own.told + listed
    files = [path for path in own.project.rglob("*") if path.is_file() and not path.is_symlink()]
    files += [path for name in ("landing", "runs") for path in (own.home.home / name).rglob("*") if path.is_file()]
    assert [path for path in files if password.encode() in path.read_bytes()] == [own.project / SECRETS]
    assert f"{SECRETS}\n" in (own.project / ".gitignore").read_text()


def test_a_dlt_source_of_ones_own_is_staged_and_reconciled(own: Own) -> None:
    assert "its key is tide_id\n" in own.told
    assert "its key is a guess: name is" in own.told
    assert _reconciled(own, "tides") == {"levels": (120, 0, 120, 120, True, True), "ports": (2, 0, 2, 2, True, True)}
    assert own.home.query("""
        select tide_id, port_name, tides_level, tides_at::text, marks from staging.stg_tides__levels where tide_id = 9
    """) == [(9, "Foz", 1.125, "2021-01-01 09:00:00+00", '[1,{"b":9}]')]


def test_an_api_of_ones_own_is_staged_and_reconciled(own: Own, api: FaultyApi) -> None:
    assert _reconciled(own, "hub") == {"todos": (6, 0, 6, 6, True, True), "users": (3, 1, 2, 2, True, True)}
    query = "select id, address_geo_lat, company_catch_phrase from staging.stg_hub__users order by id"
    assert own.home.query(query) == [(1, "-37.3159", "no fog"), (2, "-37.3159", "no fog")]
    answers = own.home.home / "landing" / "api" / "_raw" / "hub"
    assert sorted(path.name for path in answers.iterdir()) == ["todos", "users"]
    before = own.home.manifest("hub", BUILT_DAY)
    asked = len(api.requests)
    own.run("tradewinds", "extract", *DAY, "--source", "hub", "--from-raw")
    after = own.home.manifest("hub", BUILT_DAY)
    assert len(api.requests) == asked
    assert _hashes(after) == _hashes(before)


def test_each_is_listed_with_its_kind_and_place(own: Own, api: FaultyApi) -> None:
    listed = own.run("tradewinds", "sources", "list", "--format", "csv").splitlines()
    erp, tides, hub = (line.split(",") for line in listed[-3:])
    assert (erp[:2], erp[3:]) == (["erp", "postgres"], ["own", BUILT_DAY])
    assert erp[2].startswith("127.0.0.1:")
    assert tides == ["tides", "dlt", "my_sources.tides:tides", "own", BUILT_DAY]
    assert hub == ["hub", "api", api.url, "own", BUILT_DAY]


def _reconciled(own: Own, source: str) -> dict[str, tuple]:
    rows = own.home.query(f"""
        select table_name, read_count, rejected_at_extract_count, landed_count, staging_count, is_reconciled,
            source_key_sum = staging_key_sum and staging_key_sum > 0
        from ops.fct_reconciliation where source_name = '{source}' and run_date = '{BUILT_DAY}'
    """)
    return {table: tuple(figures) for table, *figures in rows}


def _hashes(manifest: dict) -> dict[str, str]:
    return {name: table["content_hash"] for name, table in manifest["tables"].items()}


def forget_settings() -> None:
    """Have the catalogue, and dlt, read their files again: a command reads them once."""
    catalogue.read_catalogue.cache_clear()
    Container()[PluggableRunContext].reload_providers()


class Project:
    """The part of a project that adding a source changes, in this process, and a home to extract into."""

    def __init__(self, folder: Path, home: Home):
        self.folder, self.home = folder, home

    def module(self, text: str) -> str:
        """Write a module with a function `rows`, and return what to call it."""
        name = f"own_{len(list(self.folder.glob('own_*.py')))}_{self.folder.parent.name.replace('-', '_')}"
        (self.folder / f"{name}.py").write_text(f"import dlt\n{text}")
        sys.path_importer_cache.clear()
        return f"{name}:rows"

    def add(self, kind: str, **options: object) -> Looked:
        _, looked = add_source("own", kind, options, BUILT_DAY)
        forget_settings()
        return looked

    def extract(self, day: str = BUILT_DAY, **options: object) -> Manifest:
        return extract_source(make_source(read_source_settings("own")), day, self.home, **options)

    def declared(self) -> dict[str, list[Column]]:
        """Return the columns that raw tables have before anything has landed."""
        schemas = make_source(read_source_settings("own")).declared_schemas()
        return {
            table: [Column(name, str(schema.field(name).type)) for name in schema.names]
            for table, schema in schemas.items()
        }

    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    folder = tmp_path / "project"
    for name in (SETTINGS, OVERVIEW, *CATALOGUE_MODELS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / name, folder / name)
    for module in (adding, catalogue, dlt_reading):
        monkeypatch.setattr(module, "PROJECT", folder)
    monkeypatch.setenv("DLT_PROJECT_DIR", str(folder))
    monkeypatch.syspath_prepend(folder)
    forget_settings()
    yield Project(folder, Home(tmp_path / "home"))
    monkeypatch.undo()
    forget_settings()


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("csv", {}, "--kind csv needs --path"),
        ("csv", {"path": Path("x"), "url": "y"}, "--kind csv takes no --url"),
        ("postgres", {}, "--kind postgres needs --url, or SOURCES__OWN__CREDENTIALS"),
        ("postgres", {"url": "mysql://u:sesame-4711@h/d"}, "--url can't be read: expected postgresql://"),
        ("dlt", {}, "--kind dlt needs --resource"),
        ("dlt", {"resource": ["a:b", "c:d"]}, "takes one --resource"),
        ("dlt", {"resource": ["tides"]}, "'tides' is no resource: expected module:function"),
        ("dlt", {"resource": ["no.such.module:rows"]}, "no.such.module:rows can't be used: No module named 'no'"),
        ("dlt", {"resource": ["json:dumps"]}, "json:dumps can't be used: dumps"),
        ("dlt", {"resource": ["builtins:dict"]}, "builtins:dict gives no @dlt.source"),
        ("api", {"base_url": "http://h"}, "--kind api needs --resource"),
        ("api", {"base_url": "h", "resource": ["a"]}, "--base-url can't be read: expected http"),
        ("api", {"base_url": "http://u:sesame-4711@h", "resource": ["a"]}, "set SOURCES__OWN__API_KEY in its place"),
        ("api", {"base_url": "http://h", "resource": ["a-b"]}, "can't be called 'a-b'"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(project: Project, kind: str, options: dict, reason: str) -> None:
    before = project.files()
    with pytest.raises(BadRequest, match=reason) as refused:
        project.add(kind, **options)
    assert "sesame" not in str(refused.value)
    assert project.files() == before


@pytest.mark.parametrize(
    ("rows", "error", "reason"),
    [
        ("yield from ()", BadRequest, "yielded no rows"),
        ("yield {'id': 1}\n    raise ValueError('boom\\nbang')", StepFailed, ":rows: boom bang$"),
        ("yield from [{'id': 1}, {'id': 'two'}]", StepFailed, "table rows: the values of id have more than one type"),
        ("yield from [{'id': 1, 'x': 1}, {'id': 2, 'x': 1.5}]", StepFailed, "the values of x have more than one type"),
        ("yield from [{'size': 1}, {'size': 1}]", BadRequest, "table rows has no column that may be its key"),
    ],
)
def test_a_resource_that_no_source_can_be_is_refused(
    project: Project, rows: str, error: type[Exception], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    place = project.module(f"@dlt.resource\ndef rows():\n    {rows}\n")
    before = project.files()
    with pytest.raises(error, match=reason) as refused:
        project.add("dlt", resource=[place])
    assert "\n" not in str(refused.value)
    assert project.files() == before
    assert "Traceback" not in capfd.readouterr().err


def test_a_resource_keeps_its_columns_on_days_without_rows_or_values(project: Project) -> None:
    rows = project.folder / "rows.json"
    rows.write_text(json.dumps([{"id": 1, "level": 1.5, "note": "x"}]))
    place = project.module(f"import json\n@dlt.resource\ndef rows():\n    yield json.load(open({str(rows)!r}))\n")
    project.add("dlt", resource=[place])
    first = project.extract()
    assert project.declared() == {"rows": first.tables["rows"].columns}
    rows.write_text(json.dumps([{"id": 1, "level": 2}]))
    second = project.extract(NEXT_DAY)
    rows.write_text("[]")
    third = project.extract("2021-01-03")
    assert first.tables["rows"].columns == second.tables["rows"].columns == third.tables["rows"].columns
    assert [day.tables["rows"].rows for day in (first, second, third)] == [1, 1, 0]
    rows.write_text(json.dumps([{"id": 1, "level": "high"}]))
    with pytest.raises(StepFailed, match="the values of level have more than one type"):
        project.extract("2021-01-04")
    assert not list(Path(project.home.landing).glob("dlt/own/rows/run_date=2021-01-04/*.parquet"))


def test_a_secret_that_a_resource_complains_of_is_in_no_error(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.folder / SECRETS).write_text('[sources.own]\ntoken = "canary-from-file"\n')
    monkeypatch.setenv("SOURCES__OWN__API_KEY", "canary-from-environment")
    text = "def rows():\n    yield {'id': 1}\n    raise ValueError('canary-from-file, canary-from-environment')\n"
    with pytest.raises(StepFailed, match=r":rows: \*\*\*, \*\*\*$"):
        project.add("dlt", resource=[project.module(f"@dlt.resource\n{text}")])


def test_a_table_that_a_dlt_source_has_no_more_is_drift(project: Project) -> None:
    text = "@dlt.resource\ndef {}():\n    yield {{'id': 1}}\n@dlt.source\ndef rows():\n    return {}\n"
    place = project.module(text.format("ports", "ports"))
    project.add("dlt", resource=[place])
    project.extract()
    del sys.modules[place.partition(":")[0]]
    (project.folder / f"{place.partition(':')[0]}.py").write_text("import dlt\n" + text.format("harbours", "harbours"))
    shutil.rmtree(project.folder / "__pycache__", ignore_errors=True)
    with pytest.raises(StepFailed, match="table ports → gone"):
        project.extract(NEXT_DAY)


def test_a_database_keeps_to_its_tables_and_caps(
    project: Project, server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp = _make_erp(server)
    with pytest.raises(BadRequest, match="schema books of the database has no table nowhere"):
        project.add("postgres", url=erp.url, schema="books", table=["nowhere"])
    project.add("postgres", url=erp.url, schema="books", table=["Invoices"])
    assert (project.folder / SECRETS).stat().st_mode & 0o777 == 0o600
    landed = project.extract().tables
    assert project.declared() == {table: landed[table].columns for table in ("Invoices",)}
    assert list(landed) == ["Invoices"]
    monkeypatch.setenv("SOURCES__OWN__MAX_REJECTED_ROWS", "0")
    with pytest.raises(StepFailed, match="max_rejected_rows = 0"):
        project.extract()
    erp.execute('drop table books."Invoices"')
    with pytest.raises(StepFailed, match="schema books of the database has no table Invoices"):
        project.extract()


def test_a_database_that_is_configured_already_needs_no_url(
    project: Project, server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__OWN__CREDENTIALS", _make_erp(server).url)
    project.add("postgres", schema="books", table=["notes"])
    assert not (project.folder / SECRETS).exists()
    assert project.extract().rows == 2


def test_a_database_that_is_not_there_is_one_line_without_its_password(project: Project) -> None:
    before = project.files()
    with pytest.raises(StepFailed, match="can't be reached") as failed:
        project.add("postgres", url="postgresql://u:sesame-4711@127.0.0.1:1/d")
    assert "sesame" not in str(failed.value)
    assert project.files() == before


def test_fields_that_no_column_can_hold_are_named(project: Project) -> None:
    rows = [
        {"id": f"k{n}", "n": n, "x": n if n else "none", "tags": [n], "o": {"y": n / 2}, "a.b": 1} for n in range(30)
    ]
    server = FaultyApi({"users": rows})
    with server.running():
        looked = project.add("api", base_url=server.url, resource=["users"])
        assert looked.settings["columns"] == {"users": {"id": "text", "n": "integer", "o.y": "number"}}
        assert looked.notes[0].endswith(": x, tags, a?b")
        assert project.extract().rows == 30


def test_a_text_key_that_comes_twice_is_noticed() -> None:
    shape = Shape((Field("code", "text", required=True),), key=("code",))

    class Pages:
        def of(self, table: str) -> Iterator[Page]:
            for codes in (["a", "b"], ["c", "a"]):
                body = json.dumps([{"code": code} for code in codes]).encode()
                yield Page("/codes", None, body, json.loads(body))

    with pytest.raises(StepFailed, match="table codes: code a was sent twice"):
        list(ApiReading({"codes": shape}, Pages()).read("codes"))


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ('kind = "postgres"', "expected tables, a list of their names"),
        ('kind = "api"\nbase_url = "http://h"', "expected columns of each list"),
        ('kind = "api"\n[sources.own.columns.users]\nid = "uuid"', "expected columns of each list"),
    ],
)
def test_settings_that_cannot_be_read_are_named(project: Project, entries: str, reason: str) -> None:
    (project.folder / SETTINGS).write_text(f"[sources.own]\n{entries}\n")
    settings = read_source_settings("own")
    with pytest.raises(BadRequest, match=reason):
        make_source(settings)


@pytest.mark.parametrize(
    "entries", ['kind = "postgres"\ntables = ["a"]', 'kind = "api"\n[sources.own.columns.users]\nid = "integer"']
)
def test_no_sample_stands_in_for_a_source_of_the_settings(project: Project, tmp_path: Path, entries: str) -> None:
    (project.folder / SETTINGS).write_text(f"[sources.own]\n{entries}\n")
    forget_settings()
    source = make_source(read_source_settings("own"))
    with (
        pytest.raises(BadRequest, match="the settings don't say where own is"),
        source.open(project.home, "", tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    ("kind", "place"), [("postgres", "credentials"), ("dlt", "resource"), ("api", "base_url"), ("csv", "path")]
)
def test_each_kind_is_part_of_the_days_that_its_settings_say(
    project: Project, monkeypatch: pytest.MonkeyPatch, kind: str, place: str
) -> None:
    (project.folder / SETTINGS).write_text(f'[sources.own]\nkind = "{kind}"\nsince = {NEXT_DAY}\n')

    def days() -> list[bool]:
        return [read_source_settings("own").exists_on(day) for day in (BUILT_DAY, NEXT_DAY)]

    assert days() == [False, False]
    monkeypatch.setenv(f"SOURCES__OWN__{place.upper()}", "somewhere")
    assert days() == [False, True]
    monkeypatch.setenv("SOURCES__OWN__ENABLED", "false")
    assert days() == [False, False]
