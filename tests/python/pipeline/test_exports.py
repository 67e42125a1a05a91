"""Exported files: rows in the declared order, no cell that a spreadsheet would run."""

import csv
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import duckdb
import pyarrow as pa
import pytest

from ingestion.errors import StepFailed
from ingestion.settings import Home
from ingestion.sources.selection import Selection
from ingestion.warehouse import Warehouse, open_warehouse
from pipeline.dbt.project import Export
from pipeline.run import exports, pieces
from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY, NEXT_DAY, Database

DAY = "2021-01-01"
CELLS = ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "'=1", "plain, =1", "", None, "ünï\ncode", "5"]


class Mart:
    """A warehouse that holds one mart."""

    def __init__(self, mart: pa.Table):
        self._mart = mart

    @contextmanager
    def exporting(self, relation: str) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect() as connection:
            connection.register("arrow", self._mart)
            connection.execute("create table mart as from arrow")
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
    warehouse: Warehouse, order_by: list[str], expected: list[tuple], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse.reading("people.small", Selection(order_by)) as batches:
        assert [tuple(row.values()) for row in batches.read_all().to_pylist()] == expected
    with warehouse.reading("people.small", Selection(order_by, limit=2)) as batches:
        assert [tuple(row.values()) for row in batches.read_all().to_pylist()] == expected[:2]
    monkeypatch.setattr(exports, "exports", lambda: [Export("small", "people.small", ["json"], order_by)])
    exports.write_exports(warehouse, DAY, Home(tmp_path))
    found = json.loads((tmp_path / "exports" / DAY / "small.json").read_text(encoding="utf-8"))
    assert [tuple(row.values()) for row in found] == expected


def test_every_engine_exports_the_same_bytes(warehouse: Warehouse, tmp_path: Path, monkeypatch) -> None:
    small = Export("small", "people.small", ["csv", "json"], ["number", "word"])
    monkeypatch.setattr(exports, "exports", lambda: [small])
    exports.write_exports(warehouse, DAY, Home(tmp_path))
    written = [(tmp_path / "exports" / DAY / f"small.{format_}").read_text() for format_ in small.formats]
    assert written[0] == "number,word\n1,b\n2,Z\n2,a\n3,\n,ä\n"
    assert json.loads(written[1])[3:] == [{"number": 3, "word": None}, {"number": None, "word": "ä"}]


@pytest.mark.parametrize("term", ["nope", "number asc", "number desc, word", "number; drop table x", "", "desc"])
def test_an_unknown_order_is_refused(warehouse: Warehouse, term: str) -> None:
    with pytest.raises(StepFailed) as raised, warehouse.reading("people.small", Selection([term])) as batches:
        batches.read_all()
    assert str(raised.value).startswith(f"rows can't be ordered by {term!r}: expected one of number, word")


class Days:
    """Days of a mart of many keys, exported one after the other; a piece has ten keys."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(pieces, "_KEYS", 10)
        many = Export("many", "people.many", ["csv", "json"], ["number", "word"])
        monkeypatch.setattr(exports, "exports", lambda: [many])
        self.home = Home(folder)
        self.written: list[str] = []
        copied = pieces.Rows._copied

        def count(rows: pieces.Rows, query: str, file: Path, options: str) -> BinaryIO:
            self.written += [query] if "limit 0" not in query else []
            return copied(rows, query, file, options)

        monkeypatch.setattr(pieces.Rows, "_copied", count)

    def export(self, day: str, rows: list[tuple[int | None, str]]) -> int:
        """Export a day's rows; return how many pieces were written and not copied, after comparing every row."""
        self.written.clear()
        mart = pa.table({"number": [number for number, _ in rows], "word": [word for _, word in rows]})
        exports.write_exports(Mart(mart), day, self.home)
        expected = sorted(rows, key=lambda row: (row[0] is None, row))
        csv_file, json_file = (self.home.root / "exports" / day / f"many.{format_}" for format_ in ("csv", "json"))
        with csv_file.open(newline="", encoding="utf-8") as lines:
            assert list(csv.reader(lines)) == [
                ["number", "word"], *[["" if number is None else str(number), word] for number, word in expected]
            ]  # fmt: skip
        found = json.loads(json_file.read_text(encoding="utf-8"))
        assert [(row["number"], row["word"]) for row in found] == expected
        return len(self.written)


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Days:
    return Days(tmp_path, monkeypatch)


ROWS = [(number, f"word\n{number}") for number in range(-25, 100)] + [(None, "without")]


def test_only_changed_pieces_are_written_again(days: Days) -> None:
    """Keys from -25 to 99 and no key are 13 pieces of each file: -9 to 9 are one."""
    assert days.export("2021-01-01", ROWS) == 2 * 13
    assert days.export("2021-01-02", ROWS) == 0
    assert days.export("2021-01-03", [*ROWS, (99, "word\n99"), (100, "new")]) == 2 * 2
    assert days.export("2021-01-01", [(0, "changed") if row[0] == 0 else row for row in ROWS]) == 2 * 2
    assert days.export("2021-01-02", [row for row in ROWS if row[0] not in range(10, 20)]) == 2 * 1
    assert days.export("2021-01-02", []) == 0


@pytest.mark.parametrize("damage", ["changed", "cut", "deleted", "record"])
def test_a_damaged_file_is_no_source_of_the_next(days: Days, damage: str) -> None:
    days.export("2021-01-01", ROWS)
    file = days.home.root / "exports" / "2021-01-01" / "many.csv"
    text = file.read_bytes()
    if damage == "changed":
        file.write_bytes(text.replace(b"57", b"58"))
    elif damage == "cut":
        file.write_bytes(text[: len(text) // 2])
    elif damage == "deleted":
        file.unlink()
    else:
        (days.home.work / "exports.json").write_text("{")
    assert days.export("2021-01-02", ROWS) == {"changed": 1, "cut": 8, "deleted": 13, "record": 26}[damage]


def test_pieces_are_copied_from_another_file_system(days: Days) -> None:
    """The files of a home that was copied to another disk are where they were."""
    days.export("2021-01-01", ROWS)
    record = days.home.work / "exports.json"
    with TemporaryDirectory(dir="/dev/shm") as other:
        elsewhere = shutil.copytree(days.home.exports, f"{other}/exports")
        assert Path(other).stat().st_dev != days.home.root.stat().st_dev
        record.write_text(record.read_text().replace(str(days.home.exports), elsewhere))
        assert days.export("2021-01-02", ROWS) == 0


def test_what_cant_be_exported_isnt_published(built_homes: BuiltHomes, tmp_path: Path) -> None:
    sandbox = built_homes.copy_changed(tmp_path)
    published, exports = sandbox.home / "published", sandbox.home / "exports"
    for folder in (published, exports):
        shutil.rmtree(folder)
    shutil.copytree(built_homes.original().home / "published", published)
    exports.touch()  # no folder can be made there
    assert "the exports can't be written" in sandbox.fail(1, "publish", "--run-date", NEXT_DAY)
    query = "select run_date::text from published_version"
    assert sandbox.published(query) == [(BUILT_DAY,)]
    exports.unlink()
    sandbox.succeed("publish", "--run-date", NEXT_DAY)
    assert sandbox.published(query) == [(NEXT_DAY,)]
