"""The published version in an Iceberg catalog: read back, moved as a whole, taken back."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.table import Table
from pyiceberg.utils.config import Config

from ingestion.errors import BadRequest
from ingestion.settings import Home
from pipeline.dbt.project import published_marts
from pipeline.publishing import open_publisher
from pipeline.publishing.iceberg import POINTER, mirror_version
from tests.python.pipeline.test_publishing import DAYS, LINES, MARTS, ORDERS, Engine, on_duckdb, on_postgres
from tests.python.sandbox import BUILT_DAY, Sandbox

pytestmark = pytest.mark.integration


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of an empty catalog in SQLite, with its files beside it."""
    (tmp_path / "lake").mkdir()
    settings = {"URI": f"sqlite:///{tmp_path}/lake/catalog.db", "WAREHOUSE": f"file://{tmp_path}/lake"}
    settings = {f"PYICEBERG_CATALOG__LAKE__{name}": value for name, value in settings.items()}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", Config())  # else read once a process
    return settings | {"TRADEWINDS_ICEBERG_CATALOG": "lake"}


@pytest.fixture(params=["duckdb", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    home = Home(tmp_path)
    if request.param == "duckdb":
        context = on_duckdb(home)
    else:
        context = on_postgres(home, request.getfixturevalue("new_database")().url, monkeypatch)
    with context as found:
        yield found


def shown_version(catalog: Catalog) -> str | None:
    if not catalog.table_exists(POINTER):
        return None
    (row,) = catalog.load_table(POINTER).scan().to_arrow().to_pylist() or [{"version": None}]
    return row["version"]


def _rows(table: Table, version: str | None = None) -> pa.Table:
    return table.scan(snapshot_id=table.refs()[version].snapshot_id if version else None).to_arrow()


def amounts_of(catalog: Catalog, version: str | None) -> dict[int, int]:
    """Return the amounts by order of a version, or of what the tables show; orders and lines have the same."""
    orders, lines = (_rows(catalog.load_table(mart.place), version).to_pylist() for mart in (ORDERS, LINES))
    amounts = {row["order_id"]: int(row["amount"]) for row in orders}
    assert amounts == {row["order_id"]: row["line"] for row in lines}
    return amounts


def test_a_day_is_read_back_equal(built: Sandbox, lake: dict[str, str]) -> None:
    """Every mart of a built day, its rows held against the published file's by DuckDB."""
    built.settings |= lake
    told = built.succeed("publish", "--run-date", BUILT_DAY)
    assert "publish  Iceberg catalog lake" in told
    catalog = load_catalog("lake")
    version = open_publisher("duckdb", Home(built.home)).current()
    assert shown_version(catalog) == version.name
    with duckdb.connect(str(built.home / "published" / "tradewinds.duckdb"), read_only=True) as connection:
        for mart in published_marts():
            table = catalog.load_table(mart.place)
            rows = _rows(table, version.name)
            assert rows.equals(_rows(table)), mart
            connection.register("rows", rows)
            both = f"(from rows except all from {mart.relation}) union all (from {mart.relation} except all from rows)"
            assert connection.execute(both).fetchall() == [], mart
            assert connection.execute(f"select count(*) from {mart.relation}").fetchall() == [(rows.num_rows,)]
            connection.unregister("rows")


def test_versions_move_as_a_whole_and_back(
    engine: Engine, lake: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = load_catalog("lake")
    versions = []
    for number, day in enumerate(DAYS[:3]):
        versions.append(engine.publish(day, {1: number, number + 2: 7}))
        mirror_version("lake", engine.publisher)
        assert (shown_version(catalog), amounts_of(catalog, None)) == (versions[-1], {1: number, number + 2: 7})
    assert [amounts_of(catalog, version)[1] for version in versions] == [0, 1, 2]
    engine.publisher.rollback(versions[0])
    mirror_version("lake", engine.publisher)
    assert (shown_version(catalog), amounts_of(catalog, None)) == (versions[0], {1: 0, 2: 7})
    engine.build(DAYS[3], {1: 3}, columns=", note varchar default 'new'")
    newest = engine.publisher.publish(DAYS[3], MARTS)[0].name
    monkeypatch.setenv("TRADEWINDS_KEPT_VERSIONS", "1")
    mirror_version("lake", engine.publisher)
    table = catalog.load_table(ORDERS.place)
    assert (shown_version(catalog), _rows(table).to_pylist()[0]["note"]) == (newest, "new")
    assert {name for name in table.refs() if name != "main"} == {newest}
    kept = {task.file.file_path.removeprefix("file://") for task in table.scan().plan_files()}
    folder = Path(table.location().removeprefix("file://")) / "data"
    assert {str(path) for path in folder.rglob("*.parquet")} == kept


def test_a_catalog_that_is_not_configured_is_named(tmp_path: Path) -> None:
    with on_duckdb(Home(tmp_path)) as engine:
        engine.publish(DAYS[0], {1: 1})
        with pytest.raises(BadRequest, match="TRADEWINDS_ICEBERG_CATALOG: catalog 'nowhere' isn't configured"):
            mirror_version("nowhere", engine.publisher)
