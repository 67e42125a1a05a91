"""A landed day exists completely or not at all, and damage to it is found."""

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from ingestion.errors import BadRequest, StepFailed
from ingestion.extract import extract_source
from ingestion.landing import File, Landing, Manifest, Rows, Totals
from ingestion.settings import PROJECT, Home
from ingestion.sources import Reading
from ingestion.totals import BatchTotals, ControlTotals

DAY, NEXT = "2021-01-01", "2021-01-02"


class Source(Reading):
    """A source of given tables and rejects, which may break while it is read."""

    name, kind, area, raw_schema = "fake", "postgres", "postgres", "raw_fake"
    tables_with_history = frozenset()
    is_summed = True
    control_totals: ClassVar[dict[str, ControlTotals]] = {"sums": ControlTotals(key="number")}

    def __init__(self, tables: dict[str, pa.Table], **options):
        self.tables = tables
        self.rejected: dict[str, list[dict]] = options.get("rejects", {})
        self.broken: str | None = options.get("broken")
        self.sums: Totals = options.get("sums", Totals())
        self.is_a_sample: bool = options.get("is_a_sample", False)

    def is_sample(self, home) -> bool:
        return self.is_a_sample

    @contextmanager
    def open(self, home, run_date, work, before=None):
        yield self

    def schemas(self):
        return {name: table.schema for name, table in self.tables.items()}

    def read(self, table):
        if self.tables[table].num_rows:
            yield self.tables[table]
        if table == self.broken:
            raise StepFailed("the source broke")

    def rejects(self, table):
        return self.rejected.get(table, [])

    def count(self, table):
        return self.tables[table].num_rows + len(self.rejects(table))

    def totals(self, table):
        return self.sums


def numbers(*values: int) -> pa.Table:
    return pa.table({"number": pa.array(values, pa.int32())})


def reject_of(table: str, text: str) -> dict:
    return {"table": table, "file": "f.csv", "line_number": 3, "rule": "bad", "raw_text": text}


def root_of(landing: Landing) -> Path:
    return Path(landing.location())


def path_of(landing: Landing, file: File) -> Path:
    return Path(landing.location(file.path))


def files_below(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder, but marks and locks, with its time of change and its inode."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.stat().st_ino)
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".started", ".lock")
    }


def rows_of(landing: Landing, run_date: str, table: str) -> list[dict]:
    """The rows that the day's manifest stands for."""
    files = landing.manifest("fake", run_date).tables[table].files
    return [row for file in files for row in parquet.read_table(path_of(landing, file)).to_pylist()]


def parquet_files(landing: Landing) -> set[str]:
    return {path for path in files_below(root_of(landing)) if path.endswith(".parquet")}


def listed_files(landing: Landing, *days: str) -> set[str]:
    return {file.path for day in days for file in landing.manifest("fake", day).files}


def faults(landing: Landing, run_date: str = DAY, *, read_files: bool = True) -> list[str]:
    return landing.faults("fake", run_date, read_files=read_files)


# What was read has landed


@pytest.mark.parametrize(("read", "landed"), [("6", None), ("7", "6"), (None, "6")])
def test_a_landed_sum_that_is_not_the_sources_stops_the_extract(landing, home, read, landed):
    values = numbers(1, 2, 3) if landed else pa.table({"other": [1]})
    source = Source({"sums": values}, sums=Totals(key=read))
    with pytest.raises(
        StepFailed, match=f"table sums: the key sum of what was read is {read}, of what landed {landed}"
    ):
        extract_source(source, DAY, home)
    assert landing.manifest("fake", DAY) is None
    assert parquet_files(landing) == set()
    extract_source(Source({"sums": values}, sums=Totals(key=landed)), DAY, home)
    assert landing.manifest("fake", DAY).tables["sums"].totals["landing"] == Totals(key=landed)


def test_rows_that_neither_landed_nor_were_rejected_stop_the_extract(landing, home, monkeypatch):
    monkeypatch.setattr(Source, "count", lambda self, table: 4)
    source = Source({"a": numbers(1, 2)}, rejects={"a": [reject_of("a", "x")]})
    with pytest.raises(StepFailed, match="table a: 4 rows were read, but 2 landed and 1 were rejected"):
        extract_source(source, DAY, home)
    assert landing.manifest("fake", DAY) is None


# Where things are


def test_partition_paths(landing, home):
    assert landing.partition("postgres", "orders", DAY) == "postgres/orders/run_date=2021-01-01"
    assert landing.partition("csv", "a b.é*", DAY) == "csv/a b.é*/run_date=2021-01-01"
    assert root_of(landing) == home.root / "landing"


@pytest.mark.parametrize("name", ["../x", "a/b", "/etc", ".", "..", ".hidden", "_manifests", "_work", "a\0b"])
def test_a_table_name_that_is_no_folder_name_is_refused(landing, home, name, capfd):
    with pytest.raises(StepFailed, match="has no place in landing"):
        landing.partition("postgres", name, DAY)
    with pytest.raises(StepFailed, match="has no place in landing"):
        extract_source(Source({"good": numbers(1), name: numbers(1)}), DAY, home)
    assert landing.manifest("fake", DAY) is None
    assert parquet_files(landing) == set()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "tables",
    [
        {"orders": numbers(1), "Orders": numbers(2)},
        {"orders": pa.table({"id": [1], "x": [1], "ID": [2]})},
    ],
)
def test_names_that_differ_only_in_case_are_refused(home, tables):
    with pytest.raises(StepFailed, match=r"differ only in case.*: (orders, Orders|id, ID)$"):
        extract_source(Source(tables), DAY, home)


# What an extract lands


def test_a_day_lands_with_rows_types_rejects_and_hashes(landing, home):
    odd = 'Odd "näme".*[x]?'
    tables = {
        "some": numbers(1, 2, 3),
        "empty": pa.table({"a": pa.array([], pa.int16()), "b": pa.array([], pa.decimal128(9, 2))}),
        "moments": pa.table(
            {
                "at": pa.array([datetime(2021, 1, 1, 1, 2, 3, 4)], pa.timestamp("us")),  # noqa: DTZ001
                "at_zone": pa.array([datetime(2021, 1, 1, tzinfo=UTC)], pa.timestamp("us", "UTC")),
                "day": pa.array([date(2021, 1, 1)]),
                "hour": pa.array([time(1, 2, 3, 4)], pa.time64("us")),
                "real": pa.array([0.1], pa.float32()),
                "blob": pa.array([b"\x00\xff"]),
                "number": pa.array([Decimal("9" * 38)], pa.decimal128(38, 0)),
                "flag": pa.array([None], pa.bool_()),
            }
        ),
        odd: pa.table({'quo"ted': [1], " x ": [2], "a.b": [3], "it's": [4]}),
    }
    seen = []
    manifest = extract_source(
        Source(tables, rejects={"some": [reject_of("some", "x"), reject_of("some", "y")]}),
        DAY,
        home,
        on_rows=lambda *progress: seen.append(progress),
    )
    assert landing.manifest("fake", DAY) == manifest
    assert (manifest.source, manifest.run_date, manifest.is_sample) == ("fake", DAY, False)
    assert manifest.source_tables == list(tables) == list(manifest.tables)
    for name, table in tables.items():
        landed = manifest.tables[name]
        (file,) = landed.files
        path = root_of(landing) / file.path
        assert path.parent == root_of(landing) / "postgres" / name / f"run_date={DAY}"
        assert parquet.read_table(path, partitioning=None).equals(table)
        assert (landed.rows, file.rows, file.bytes) == (table.num_rows, table.num_rows, path.stat().st_size)
        assert [(column.name, column.type) for column in landed.columns] == [
            (field.name, str(field.type)) for field in table.schema
        ]
        assert (name, table.num_rows, True) in seen
    assert {name: table.rejected_rows for name, table in manifest.tables.items() if table.rejected_rows} == {"some": 2}
    (rejects,) = manifest.rejects
    assert rejects.path.startswith(f"_rejects/fake/run_date={DAY}/some-")
    kept = parquet.read_table(path_of(landing, rejects), partitioning=None).to_pylist()
    assert [reject["raw_text"] for reject in kept] == ["x", "y"]
    assert {(reject["source"], str(reject["run_date"])) for reject in kept} == {("fake", DAY)}
    assert faults(landing) == []
    assert parquet_files(landing) == listed_files(landing, DAY)
    assert not Path(landing.location(f"_work/fake.{DAY}")).exists()


def test_a_second_extract_replaces_the_day_and_leaves_the_others(landing, home):
    first = extract_source(Source({"t": numbers(1, 2), "gone": numbers(1)}), DAY, home)
    extract_source(Source({"t": numbers(7), "gone": numbers(1)}, rejects={"t": [reject_of("t", "x")]}), NEXT, home)
    of_next = {path: state for path, state in files_below(root_of(landing)).items() if NEXT in path}
    assert len(of_next) == 3  # `gone` hasn't changed: it has the file of the day before

    again = extract_source(Source({"t": numbers(2, 1), "gone": numbers(1)}), DAY, home)
    assert again.run_id != first.run_id
    assert [table.content_hash for table in again.tables.values()] == [
        table.content_hash for table in first.tables.values()
    ]
    assert parquet_files(landing) == listed_files(landing, DAY, NEXT)

    # A table that the source no longer has leaves nothing behind.
    extract_source(Source({"t": numbers(3)}), DAY, home)
    assert rows_of(landing, DAY, "t") == [{"number": 3}]
    assert parquet_files(landing) == listed_files(landing, DAY, NEXT)
    assert {path: state for path, state in files_below(root_of(landing)).items() if NEXT in path} == of_next
    assert landing.days("fake") == [DAY, NEXT]
    assert landing.previous("fake", NEXT).run_date == DAY
    assert landing.previous("fake", DAY) is None


def test_rejects_that_are_no_more_are_removed(landing, home):
    source = Source(
        {"a": numbers(1), "b": numbers(1)}, rejects={"a": [reject_of("a", "x")], "b": [reject_of("b", "y")]}
    )
    extract_source(source, DAY, home)
    source.rejected = {"b": [reject_of("b", "y")]}
    manifest = extract_source(source, DAY, home)
    assert len(manifest.rejects) == 1
    assert parquet_files(landing) == listed_files(landing, DAY)
    source.rejected = {}
    assert extract_source(source, DAY, home).rejects == []
    assert parquet_files(landing) == listed_files(landing, DAY)
    assert not (root_of(landing) / "_rejects/fake" / f"run_date={DAY}").exists()


def test_some_tables_of_a_day(landing, home):
    source = Source(
        {"a": numbers(1), "b": numbers(2), "a-b": numbers(3)},
        rejects={"a": [reject_of("a", "old a")], "a-b": [reject_of("a-b", "old a-b")]},
    )
    manifest = extract_source(source, DAY, home, tables=["a"])
    assert (list(manifest.tables), manifest.missing_tables) == (["a"], ["b", "a-b"])
    assert faults(landing) == ["table b of fake has not landed", "table a-b of fake has not landed"]

    extract_source(source, DAY, home, tables=["b", "a-b"])
    assert faults(landing) == []
    before = landing.manifest("fake", DAY)

    source.tables = {"a": numbers(10), "b": numbers(20), "a-b": numbers(30)}
    source.rejected = {"a": [reject_of("a", "new a")]}
    after = extract_source(source, DAY, home, tables=["a"])
    assert {table: rows_of(landing, DAY, table) for table in source.tables} == {
        "a": [{"number": 10}],
        "b": [{"number": 2}],
        "a-b": [{"number": 3}],
    }
    assert after.tables["b"] == before.tables["b"]
    texts = [parquet.read_table(path_of(landing, file))["raw_text"].to_pylist() for file in after.rejects]
    assert sorted(texts) == [["new a"], ["old a-b"]]
    assert faults(landing) == []
    assert parquet_files(landing) == listed_files(landing, DAY)


def test_a_day_is_never_part_sample_and_part_real(landing, home):
    tables = {"a": numbers(1), "b": numbers(2)}
    extract_source(Source(tables, is_a_sample=True), DAY, home)
    manifest = extract_source(Source(tables), DAY, home, tables=["a"])
    assert (manifest.is_sample, list(manifest.tables)) == (False, ["a"])
    assert faults(landing) == ["table b of fake has not landed"]
    assert parquet_files(landing) == listed_files(landing, DAY)


def test_an_unknown_table_leaves_a_good_day_good(landing, home):
    extract_source(Source({"a": numbers(1)}), DAY, home)
    with pytest.raises(BadRequest, match="fake has no table b; it has a"):
        extract_source(Source({"a": numbers(1)}), DAY, home, tables=["b"])
    assert faults(landing) == []
    with pytest.raises(BadRequest):
        extract_source(Source({"a": numbers(1)}), NEXT, home, tables=["b"])
    assert faults(landing, NEXT) == ["fake has not landed"]


# When an extract ends early


def test_a_failed_extract_keeps_the_day_but_marks_it(landing, home, capfd):
    tables = {"a": numbers(1), "b": numbers(2)}
    extract_source(Source(tables), DAY, home)
    before = files_below(root_of(landing))
    with pytest.raises(StepFailed, match=r"^the source broke$"):
        extract_source(Source({"a": numbers(5), "b": numbers(6)}, broken="b"), DAY, home)
    assert {path: files_below(root_of(landing)).get(path) for path in before} == before
    assert [rows_of(landing, DAY, table) for table in tables] == [[{"number": 1}], [{"number": 2}]]
    assert faults(landing) == ["the last extract of fake failed or was cut off"]
    assert not Path(landing.location(f"_work/fake.{DAY}")).exists()
    assert capfd.readouterr().err == ""

    extract_source(Source({"a": numbers(5), "b": numbers(6)}), DAY, home)
    assert faults(landing) == []
    assert parquet_files(landing) == listed_files(landing, DAY)
    assert [rows_of(landing, DAY, table) for table in tables] == [[{"number": 5}], [{"number": 6}]]


def test_a_failed_first_extract_is_no_day(landing, home):
    with pytest.raises(StepFailed):
        extract_source(Source({"a": numbers(5)}, broken="a"), DAY, home)
    assert landing.manifest("fake", DAY) is None
    assert landing.days("fake") == []
    assert faults(landing) == ["fake has not landed"]


def test_a_full_disk_fails_at_once_and_in_one_line(landing, home, monkeypatch, capfd):
    tries = []

    def place(*arguments):
        tries.append(arguments)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Landing, "place", place)
    with pytest.raises(StepFailed, match="No space left on device"):
        extract_source(Source({"a": numbers(1)}), DAY, home)
    assert len(tries) == 1
    assert capfd.readouterr().err == ""


def test_rows_that_got_lost_between_source_and_landing_fail(landing, home, monkeypatch):
    write = parquet.ParquetWriter.write_table
    monkeypatch.setattr(parquet.ParquetWriter, "write_table", lambda self, rows: write(self, rows.slice(1)))
    with pytest.raises(StepFailed, match=r"^table a: 3 rows were read, but 2 landed and 0 were rejected$"):
        extract_source(Source({"a": numbers(1, 2, 3)}), DAY, home)
    assert landing.manifest("fake", DAY) is None


def test_columns_that_landed_otherwise_than_declared_fail(landing, home):
    source = Source({"a": numbers(1)})
    for other in (pa.table({"number": ["1"]}), pa.table({"number": pa.array([1], pa.int64())}), pa.table({"x": [1]})):
        source.read = lambda table, other=other: iter([other])
        with pytest.raises(StepFailed, match="table a landed with other columns than the source has"):
            extract_source(source, DAY, home)
    assert landing.manifest("fake", DAY) is None


def test_the_old_manifest_holds_until_the_new_one_is_in_place(landing, home, monkeypatch):
    extract_source(Source({"a": numbers(1)}), DAY, home)
    old = landing.manifest("fake", DAY)
    seen = []

    def write(path: Path, text: str, *, is_shared: bool = False) -> None:
        if path.suffix == ".json":
            new = Manifest.from_json(text)
            assert landing.manifest("fake", DAY) == old
            seen.extend(file for manifest in (old, new) for file in manifest.files)
            assert all((root_of(landing) / file.path).stat().st_size == file.bytes for file in seen)
            raise OSError(errno.EIO, "the disk went away")
        path.write_text(text, encoding="utf-8")

    monkeypatch.setattr("ingestion.stores.disk.write_atomically", write)
    with pytest.raises(StepFailed, match="the disk went away"):
        extract_source(Source({"a": numbers(2)}), DAY, home)
    assert len(seen) == 2
    assert rows_of(landing, DAY, "a") == [{"number": 1}]
    assert faults(landing) == ["the last extract of fake failed or was cut off"]


def run_python(code: str, home: Path, **settings: str) -> subprocess.Popen:
    """Start a process that runs this code, with a pipe for its output."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=os.environ | {"TRADEWINDS_HOME": str(home)} | settings,
        stdout=subprocess.PIPE,
        text=True,
    )


EXTRACT_AND_DIE = f"""
import os, signal
from ingestion.extract import extract_source
from ingestion.landing import Landing
from ingestion.settings import Home
from ingestion.sources import SOURCES
Landing.commit = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
extract_source(SOURCES["order_details"], "{DAY}", Home.from_environment())
"""


def test_a_kill_between_the_files_and_the_commit(tmp_path, monkeypatch):
    from ingestion.sources import SOURCES

    source, home = SOURCES["order_details"], Home(tmp_path / "home")
    landing = Landing(home)
    path = tmp_path / "order_details.csv"
    monkeypatch.setenv("SOURCES__ORDER_DETAILS__PATH", str(path))
    header = "order_id,product_id,unit_price,quantity,discount\n"
    path.write_text(header + "1,1,1,1,1\n")
    good = extract_source(source, DAY, home)

    path.write_text(header + "2,2,2,2,2\n3,3,3,3,3\nbad\n")
    killed = run_python(EXTRACT_AND_DIE, home.root, SOURCES__ORDER_DETAILS__PATH=str(path))
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    placed = set(root_of(landing).rglob("*.parquet")) - {path_of(landing, file) for file in good.files}
    assert {file.parent.parent.name for file in placed if "_work" not in file.parts} == {"order_details"}
    assert len([file for file in placed if "_rejects" in file.parts]) == 1
    # The earlier extract is still there, whole, but not to be loaded.
    assert landing.manifest("order_details", DAY) == good
    assert landing.faults("order_details", DAY, read_files=True) == [
        "the last extract of order_details failed or was cut off"
    ]

    # The next day has nothing of it, and an extract of this day heals it: no lock, no leftovers.
    path.write_text(header + "4,4,4,4,4\n")
    other = extract_source(source, NEXT, home)
    assert other.tables["order_details"].rows == 1
    assert landing.faults("order_details", NEXT, read_files=True) == []
    healed = extract_source(source, DAY, home)
    assert landing.faults("order_details", DAY, read_files=True) == []
    assert healed.tables["order_details"].content_hash == other.tables["order_details"].content_hash
    assert set(root_of(landing).rglob("*.parquet")) == {
        path_of(landing, file) for manifest in (healed, other) for file in manifest.files
    }


HOLD_LOCK = f"""
import time
from ingestion.landing import Landing
from ingestion.settings import Home
with Landing(Home.from_environment()).day_lock("fake", "{DAY}"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_day_has_one_extract_at_a_time(landing, home):
    extract_source(Source({"a": numbers(1)}), DAY, home)
    before = files_below(root_of(landing))
    holder = run_python(HOLD_LOCK, home.root)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StepFailed, match="another process is extracting fake for this day; wait for it to end"):
            extract_source(Source({"a": numbers(2)}), DAY, home)
        assert files_below(root_of(landing)) == before
        assert faults(landing) == []  # not even marked
        extract_source(Source({"a": numbers(2)}), NEXT, home)  # other days are free
        with landing.day_lock("other", DAY):
            pass
    finally:
        holder.kill()
        holder.communicate()
    extract_source(Source({"a": numbers(2)}), DAY, home)  # freed by kill -9
    assert rows_of(landing, DAY, "a") == [{"number": 2}]
    with landing.day_lock("fake", DAY):
        pass


# What is wrong with a day


@pytest.fixture
def landed(landing, home) -> Path:
    """One of the files of a day that has landed."""
    extract_source(Source({"a": numbers(1, 2), "b": numbers(3)}, rejects={"a": [reject_of("a", "x")]}), DAY, home)
    assert faults(landing) == faults(landing, read_files=False) == []
    return path_of(landing, landing.manifest("fake", DAY).tables["a"].files[0])


def test_each_extract_of_one_table_is_another_run_of_its_day(landing, landed):
    """Fails if raw wouldn't be known to be behind, whichever of two run ids is the greater."""
    manifest = landing.manifest("fake", DAY)
    for run_id in ("0" * 32, "f" * 32):
        table = dataclasses.replace(manifest.tables["a"], run_id=run_id)
        assert dataclasses.replace(manifest, tables=manifest.tables | {"a": table}).last_run != manifest.last_run


def test_a_missing_file_is_a_fault(landing, landed):
    landed.unlink()
    expected = [f"fake: landed file {landed.relative_to(root_of(landing))} is missing"]
    assert faults(landing) == faults(landing, read_files=False) == expected
    landed.mkdir()
    assert faults(landing) == expected


def test_a_shortened_lengthened_or_flipped_file_is_a_fault(landing, landed):
    data = landed.read_bytes()
    expected = [
        f"fake: landed file {landed.relative_to(root_of(landing))} is damaged (its SHA-256 is not the manifest's)"
    ]
    for damaged in (data[:-1], b"", data + b"\0"):
        landed.write_bytes(damaged)
        assert faults(landing) == faults(landing, read_files=False) == expected
    for place in (0, 4, len(data) // 2, len(data) - 1):
        landed.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert faults(landing) == expected
    landed.write_bytes(data)
    assert faults(landing) == []


def test_a_damaged_reject_file_is_a_fault_and_every_fault_is_named(landing, landed):
    (rejects,) = landing.manifest("fake", DAY).rejects
    path_of(landing, rejects).write_bytes(b"x" * rejects.bytes)
    landed.unlink()
    assert [fault.split()[-1] for fault in faults(landing)] == ["missing", "manifest's)"]


def test_files_that_no_manifest_lists_are_no_fault_and_are_not_read(landing, landed):
    landed.with_name("stray.parquet").write_bytes(b"not even Parquet")
    assert faults(landing) == []
    assert rows_of(landing, DAY, "a") == [{"number": 1}, {"number": 2}]


@pytest.mark.parametrize("path", ["../outside.parquet", "/etc/passwd", "postgres/../../outside.parquet"])
def test_a_manifest_that_points_outside_landing_is_refused(landing, landed, path):
    outside = root_of(landing).parent / "outside.parquet"
    outside.write_bytes(b"x")
    manifest = landing.manifest("fake", DAY)
    manifest.rejects.append(File(path=path, rows=1, bytes=1, sha256="x"))
    with pytest.raises(StepFailed, match="a manifest names a file outside landing"):
        landing.local("fake", DAY, manifest.rejects).__enter__()
    (root_of(landing) / "_manifests/fake" / f"{DAY}.json").write_text(manifest.to_json())
    with pytest.raises(StepFailed, match="a manifest names a file outside landing"):
        faults(landing)
    assert outside.exists()


def test_a_link_out_of_landing_is_outside_too(landing, landed):
    target = root_of(landing).parent / "elsewhere.parquet"
    landed.rename(target)
    landed.symlink_to(target)
    with pytest.raises(StepFailed, match="outside landing"):
        faults(landing)


NO_MANIFEST = ["", "{", "null", "[]", "7", '"text"', "{}", '{"tables": []}', '{"tables": {}, "rejects": {}}', "\xff"]


def test_an_unreadable_manifest_is_one_clear_line_and_an_extract_heals_it(landing, home, landed):
    path = root_of(landing) / "_manifests/fake" / f"{DAY}.json"
    whole = json.loads(path.read_text())
    needed = whole.keys() - {"answers", "undeclared_fields", "warnings"}  # older days have none of them
    parts_missing = [json.dumps({name: whole[name] for name in whole if name != missing}) for missing in needed]
    for text in [*NO_MANIFEST, *parts_missing]:
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(StepFailed, match=f"the manifest of fake for {DAY} can't be read") as raised:
            faults(landing)
        assert raised.value.command == f"tradewinds extract --run-date {DAY} --source fake"
    extract_source(Source({"a": numbers(1)}), DAY, home)
    assert faults(landing) == []


def test_a_day_that_landed_before_there_were_control_totals_can_be_read(landing, landed):
    path = root_of(landing) / "_manifests/fake" / f"{DAY}.json"
    written = json.loads(path.read_text())
    for table in written["tables"].values():
        del table["read_rows"], table["totals"]
    path.write_text(json.dumps(written))
    table = landing.manifest("fake", DAY).tables["a"]
    assert (table.rows, table.read_rows, table.totals) == (2, None, {})
    assert faults(landing) == []


def test_a_key_that_cannot_be_summed_has_no_sum():
    rows = pa.table({"code": ["a", "b"]})
    sums = BatchTotals(ControlTotals(key="code"), rows.schema)
    sums.add(rows)
    assert sums.totals() == Totals(None, None)


def test_an_unreadable_started_mark_counts_as_a_cut_off_extract(landing, home, landed):
    for text in ("", "{", "null", "[]", "{}", "\xff"):
        (root_of(landing) / "_manifests/fake" / f"{DAY}.started").write_bytes(text.encode("latin-1"))
        assert faults(landing) == ["the last extract of fake failed or was cut off"]
    extract_source(Source({"a": numbers(1)}), DAY, home)
    assert faults(landing) == []


def test_a_manifest_reads_as_it_was_written(landing, landed):
    manifest = landing.manifest("fake", DAY)
    assert Manifest.from_json(manifest.to_json()) == manifest
    renamed = dataclasses.replace(manifest, source='quo"ted é')
    assert Manifest.from_json(renamed.to_json()) == renamed


# What a run of a day is a function of


def test_the_fingerprint_covers_the_content_up_to_a_day_and_nothing_else(landing, home):
    extract_source(Source({"a": numbers(1, 2)}), DAY, home)
    first = landing.fingerprint(DAY)
    extract_source(Source({"a": numbers(3)}), NEXT, home)
    both = landing.fingerprint(NEXT)
    assert landing.fingerprint(DAY) == first != both
    extract_source(Source({"a": numbers(2, 1)}), DAY, home)  # the same rows again
    assert (landing.fingerprint(DAY), landing.fingerprint(NEXT)) == (first, both)
    extract_source(Source({"a": numbers(2, 1)}, rejects={"a": [reject_of("a", "x")]}), DAY, home)
    assert len({landing.fingerprint(DAY), landing.fingerprint(NEXT), first, both}) == 4


def test_the_content_hash_is_that_of_the_landed_files(landing, landed):
    table = landing.manifest("fake", DAY).tables["a"]
    assert table.content_hash == Rows([landed]).digest(["number"]).content_hash
