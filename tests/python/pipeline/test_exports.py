"""Exported files: rows in the declared order, no cell that a spreadsheet would run."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ingestion.errors import StepFailed
from ingestion.settings import Home
from ingestion.warehouse import Warehouse, open_warehouse
from pipeline.dbt.project import Export
from pipeline.run import exports
from tests.python.sandbox import Database

DAY = "2021-01-01"
CELLS = ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "'=1", "plain, =1", "", None, "ünï\ncode", "5"]


class Mart:
    """A warehouse that holds one mart."""

    def __init__(self, mart: pa.Table):
        self._mart = mart

    @contextmanager
    def sorting(self, relation: str, order_by: list[str]) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect() as connection:
            connection.register("sorted_mart", self._mart)
            yield connection


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with a mart of awkward cells as CSV and as JSON."""
    mart = pa.table({"number": [-number for number in range(len(CELLS))], "=text": CELLS})
    monkeypatch.setattr(exports, "exports", lambda: [Export("cells", "people.cells", ["csv", "json"], [])])
    rows = exports.write_exports(Mart(mart), DAY, Home(tmp_path))
    assert rows == {"cells.csv": len(CELLS), "cells.json": len(CELLS)}
    return tmp_path / "exports" / DAY


def test_csv_cells_of_text_are_no_formulas(written: Path) -> None:
    with (written / "cells.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    changed = ["'=1+1", "'+1", "'-1", "'@sum", "'\tx", "'\rx"]
    assert [row["=text"] for row in rows] == [*changed, *("" if cell is None else cell for cell in CELLS[6:])]
    assert [row["number"] for row in rows] == [str(-number) for number in range(len(CELLS))]


def test_json_is_left_as_it_is(written: Path) -> None:
    rows = json.loads((written / "cells.json").read_text(encoding="utf-8"))
    assert [row["=text"] for row in rows] == CELLS


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(
    request: pytest.FixtureRequest, tmp_path: Path, new_database, monkeypatch: pytest.MonkeyPatch
) -> Warehouse:
    """A warehouse of either engine with a small mart."""
    statements = [
        "create schema {schema}",
        "create table {schema}.small (number bigint, word varchar)",
        "insert into {schema}.small values (1, 'b'), (2, 'Z'), (2, 'a'), (null, 'ä'), (3, null)",
    ]
    if request.param == "duckdb":
        (tmp_path / "warehouse").mkdir()
        with duckdb.connect(str(tmp_path / "warehouse" / "tradewinds.duckdb")) as connection:
            for statement in statements:
                connection.execute(statement.format(schema="people"))
    else:
        database: Database = new_database()
        monkeypatch.setattr("ingestion.warehouse.postgres.warehouse_url", lambda: database.url)
        for statement in statements:
            database.execute(statement.format(schema="people__build"))
    return open_warehouse(request.param, Home(tmp_path))


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        (["number", "word"], [(1, "b"), (2, "Z"), (2, "a"), (3, None), (None, "ä")]),
        (["number desc", "word"], [(3, None), (2, "Z"), (2, "a"), (1, "b"), (None, "ä")]),
        (["word desc"], [(None, "ä"), (1, "b"), (2, "a"), (2, "Z"), (3, None)]),
    ],
)
def test_rows_come_in_the_same_order_from_every_engine(
    warehouse: Warehouse, order_by: list[str], expected: list[tuple]
) -> None:
    with warehouse.reading("people.small", order_by) as batches:
        assert [tuple(row.values()) for row in batches.read_all().to_pylist()] == expected
    with warehouse.sorting("people.small", order_by) as session:
        assert session.execute("from sorted_mart").fetchall() == expected


def test_every_engine_exports_the_same_bytes(warehouse: Warehouse, tmp_path: Path, monkeypatch) -> None:
    small = Export("small", "people.small", ["csv", "json"], ["number", "word"])
    monkeypatch.setattr(exports, "exports", lambda: [small])
    exports.write_exports(warehouse, DAY, Home(tmp_path))
    written = [(tmp_path / "exports" / DAY / f"small.{format_}").read_text() for format_ in small.formats]
    assert written[0] == "number,word\n1,b\n2,Z\n2,a\n3,\n,ä\n"
    assert json.loads(written[1])[3:] == [{"number": 3, "word": None}, {"number": None, "word": "ä"}]


@pytest.mark.parametrize("term", ["nope", "number asc", "number desc, word", "number; drop table x", "", "desc"])
def test_an_unknown_order_is_refused(warehouse: Warehouse, term: str) -> None:
    with pytest.raises(StepFailed) as raised, warehouse.reading("people.small", [term]) as batches:
        batches.read_all()
    assert str(raised.value).startswith(f"rows can't be ordered by {term!r}: expected one of number, word")
