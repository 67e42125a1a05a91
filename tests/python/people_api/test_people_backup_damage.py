"""A damaged or forged backup file never reaches the table."""

import json
import random
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import fastavro
import pytest
from sqlalchemy import Engine

from ingestion.errors import StepFailed
from people_api.backups import back_up, restore
from people_api.backups.schemas import SCHEMAS
from people_api.database import open_engine
from tests.python.avro_files import (
    SYNC,
    block,
    contents,
    deflate,
    header,
    make_odd_people,
    named_row,
    number,
    rehash,
    rejected_row,
    text,
)
from tests.python.sandbox import Database

DEPARTMENTS, GOOD = SCHEMAS["departments"], named_row(1, "a")
SECONDS, BYTES = 20, 300 * 2**20


@dataclass
class Bench:
    """A database whose departments have changed since their backup, and tries to restore damaged files into it."""

    database: Database
    engine: Engine
    store: str
    paths: dict[str, Path]
    good: dict[str, bytes]
    backed_up: dict[str, list[tuple]]
    before: dict[str, list[tuple]]

    def refuses(self, content: bytes, match: str, table: str = "departments", **said: object) -> None:
        """Expect one line with these words for this file, whose sidecar agrees with it, and the tables as they were."""
        rehash(self.paths[table], content, **said)
        self.refuses_as_it_is(match, table)

    def refuses_as_it_is(self, match: str, table: str = "departments") -> None:
        started = monotonic()
        tracemalloc.start()
        try:
            with pytest.raises(StepFailed, match=match) as refusal:
                restore(self.engine, table, self.store)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert monotonic() - started < SECONDS
        assert peak < BYTES
        assert str(self.paths[table]) in refusal.value.reason
        assert contents(self.database) == self.before


@pytest.fixture(scope="module")
def bench(server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    database, store = make_odd_people(server), str(tmp_path_factory.mktemp("backups"))
    with open_engine(database.url) as engine:
        paths = {table: Path(back_up(engine, table, store).location) for table in SCHEMAS}
        backed_up = contents(database)
        for table in ("departments", "jobs", "employees"):
            database.execute(f"update {table} set name = 'since then'")
        database.execute("update rejected_rows set payload = 'since then'")
        good = {table: path.read_bytes() for table, path in paths.items()}
        yield Bench(database, engine, store, paths, good, backed_up, contents(database))


@pytest.fixture(autouse=True)
def _mended(bench: Bench) -> Iterator[None]:
    """Every test leaves the good files behind."""
    kept = {path: path.with_name(path.name + ".json").read_text() for path in bench.paths.values()}
    yield
    for table, path in bench.paths.items():
        path.write_bytes(bench.good[table])
        path.with_name(path.name + ".json").write_text(kept[path])


def test_a_file_that_was_cut_off_anywhere_is_refused(bench: Bench) -> None:
    whole = bench.good["departments"]
    for length in {0, 1, 4, *range(5, len(whole), 7), len(whole) - 1}:
        bench.paths["departments"].write_bytes(whole[:length])
        bench.refuses_as_it_is("SHA-256")
        bench.refuses(whole[:length], "departments can't be restored from")


def test_a_file_with_one_flipped_bit_is_refused(bench: Bench) -> None:
    chance = random.Random(1)
    for table, whole in bench.good.items():
        for _ in range(40):
            flipped = bytearray(whole)
            flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
            bench.paths[table].write_bytes(flipped)
            bench.refuses_as_it_is("SHA-256", table)


@pytest.mark.parametrize("table", SCHEMAS)
def test_a_flipped_bit_under_its_own_hash_is_refused_or_means_nothing(bench: Bench, table: str) -> None:
    """What deflate's checksum, the marks and the schema hold must hold alone, too."""
    chance, whole = random.Random(2), bench.good[table]
    refused = 0
    for _ in range(150):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        rehash(bench.paths[table], bytes(flipped))
        try:
            restore(bench.engine, table, bench.store)
        except StepFailed:
            refused += 1
            assert contents(bench.database) == bench.before
        else:
            assert contents(bench.database)[table] == bench.backed_up[table]
            column = "payload" if table == "rejected_rows" else "name"
            bench.database.execute(f"update {table} set {column} = 'since then'")
    assert refused > 140


def test_a_sidecar_that_says_another_thing_is_refused(bench: Bench) -> None:
    whole = bench.good["departments"]
    bench.refuses(whole, "SHA-256", sha256="0" * 64)
    bench.refuses(whole, "has 10 rows, not 11", rows=11)
    bench.refuses(whole, "claims 10 rows where 9", rows=9)
    bench.refuses(whole, "has 10 rows, not 2305843009213693952", rows=2**61)
    for odd in (-1, 2**63, 10.0, True, "10", None):
        bench.refuses(whole, "sidecar can't be read", rows=odd)
    bench.refuses(whole, "sidecar isn't one of departments", table="departments", rows=10, schema=SCHEMAS["jobs"])
    rehash(bench.paths["departments"], whole, rows=10, schema=DEPARTMENTS)
    sidecar = bench.paths["departments"].with_name(bench.paths["departments"].name + ".json")
    facts = json.loads(sidecar.read_text())
    for odd in ("", "{", "[]", "null", "[" * 60_000, '{"rows": ' + "9" * 50_000 + "}", " " * 10**6 + json.dumps(facts)):
        sidecar.write_text(odd)
        bench.refuses_as_it_is("sidecar can't be read")
    for gone in facts:
        sidecar.write_text(json.dumps({name: value for name, value in facts.items() if name != gone}))
        bench.refuses_as_it_is("sidecar can't be read")
    for name, value in (("taken_at", "yesterday"), ("taken_at", 5), ("taken_at", "2026-01-01T00:00:00")):
        sidecar.write_text(json.dumps(facts | {name: value}))
        bench.refuses_as_it_is("sidecar can't be read")
    sidecar.write_text(json.dumps(facts))


def test_a_file_that_is_missing_is_refused(bench: Bench) -> None:
    bench.paths["departments"].unlink()
    bench.refuses_as_it_is("the file is missing")


def test_another_tables_file_is_refused(bench: Bench) -> None:
    bench.refuses(bench.good["jobs"], "another schema than departments")
    bench.refuses(bench.good["employees"], "another schema than departments")
    bench.refuses(bench.good["jobs"], "sidecar isn't one of departments", schema=5)


@pytest.mark.parametrize(
    "schema",
    [
        DEPARTMENTS | {"fields": DEPARTMENTS["fields"][:2]},
        DEPARTMENTS | {"fields": DEPARTMENTS["fields"][::-1]},
        DEPARTMENTS | {"fields": [{"name": "id", "type": "long"}, *DEPARTMENTS["fields"][1:]]},
        DEPARTMENTS | {"fields": [{"name": "id", "type": ["null", "int"]}, *DEPARTMENTS["fields"][1:]]},
        {"type": "array", "items": "null"},
        "int",
        None,
    ],
)
def test_another_schema_is_refused(bench: Bench, schema: object) -> None:
    bench.refuses(header(schema) + block(1, GOOD), "another schema than departments", rows=1)


def test_another_codec_is_refused(bench: Bench) -> None:
    with bench.paths["departments"].open("wb") as file:
        fastavro.writer(file, DEPARTMENTS, [{"id": 1, "name": "a", "is_active": True}], codec="bzip2")
    bench.refuses(bench.paths["departments"].read_bytes(), "a codec that isn't deflate: b'bzip2'", rows=1)


def test_headers_that_claim_what_cannot_be_are_refused(bench: Bench) -> None:
    magic, schema = b"Obj\x01", text("avro.schema") + text(json.dumps(DEPARTMENTS))
    deep = text("avro.schema") + text("[" * 60_000)
    for content, match in (
        (b"PK\x03\x04" * 50, "is no Avro file"),
        (magic, "claims 1 bytes where 0 are left"),
        (magic + number(2**60) + schema, "where 0 are left"),
        (magic + number(1) + number(2**60), "header of more than"),
        (magic + number(1) + number(-(2**60)), "claims -"),
        (magic + number(1) + text("x" * 70_000) + text(""), "header of more than"),
        (magic + number(2) + schema + schema + number(0) + SYNC, "twice"),
        (magic + number(10**6) + b"\0" * 10**6, "twice"),
        (magic + b"\xff" * 10**6, "more than 64 bits"),
        (magic + number(1) + deep + number(0) + SYNC, "no schema that can be read"),
        (magic + number(1) + text("avro.schema") + text(b"\xff\xfe\xfd") + number(0) + SYNC, "no schema"),
        (magic + number(0) + SYNC, "no schema that can be read"),
        (magic + number(1) + schema + number(0) + SYNC[:15], "claims 16 bytes where 15"),
    ):
        bench.refuses(content, match, rows=0)


def test_a_header_in_blocks_with_their_sizes_is_read(bench: Bench) -> None:
    """The specification lets a map be written so; fastavro doesn't."""
    schema, codec = text("avro.schema") + text(json.dumps(DEPARTMENTS)), text("avro.codec") + text("null")
    entries = b"".join(number(-1) + number(len(entry)) + entry for entry in (codec, schema))
    rows = b"".join(named_row(row, str(row)) for row, _, _ in bench.before["departments"])
    count = len(bench.before["departments"])
    content = b"Obj\x01" + entries + number(0) + SYNC + block(count, rows)
    rehash(bench.paths["departments"], content, rows=count)
    restore(bench.engine, "departments", bench.store)
    bench.database.execute("update departments set name = 'since then', is_active = id % 2 = 0 or id > 100")
    assert contents(bench.database) == bench.before


@pytest.mark.parametrize(
    ("blocks", "match"),
    [
        (number(2**60) + number(4) + GOOD + SYNC, "claims 1152921504606846976 rows"),
        (number(-1) + number(4) + GOOD + SYNC, "claims -1 rows"),
        (number(0) + number(0) + SYNC, "claims 0 rows"),
        (number(1) + number(2**60) + GOOD + SYNC, "claims 1152921504606846976 bytes"),
        (number(1) + number(-4) + GOOD + SYNC, "claims -4 bytes"),
        (number(1) + number(2**25) + GOOD + SYNC, "claims 33554432 bytes where"),
        (b"\x80" * 10**6, "more than 64 bits"),
        (b"\xff" * 9 + b"\x7f" + block(1, GOOD), "more than 64 bits"),
        (block(1, GOOD)[:-1] + b"x", "sync marker"),
        (block(1, GOOD) + b"garbage", "a block claims"),
        (block(1, GOOD) + b"\x02", "claims 1 bytes where 0"),
        (block(1, GOOD) * 2, "claims 1 rows where 0 of 1"),
        (block(1, GOOD + b"\0"), "bytes that belong to no row"),
        (block(1, b""), "claims 1 rows in 0 bytes"),
        (block(1, GOOD[:-1]), "row 1 can't be decoded"),
        (block(1, number(1) + number(2**60) + b"a\x01"), "row 1 can't be decoded"),
        (block(1, number(1) + number(2**62) + b"a\x01"), "row 1 can't be decoded"),
        (block(1, number(1) + number(-1) + b"a\x01"), "row 1 can't be decoded"),
        (block(1, number(1) + number(-(2**63)) + b"a\x01"), "row 1 can't be decoded"),
        (block(1, b"\xff" * 1000), "row 1 can't be decoded"),
        (block(1, named_row(1, b"\xc3\x28")), "row 1 can't be decoded"),
        (block(1, named_row(1, b"\xed\xa0\x80")), "row 1 can't be decoded"),
        (block(1, named_row(1, "a\0b")), "row 1 breaks the data dictionary: name"),
        (block(1, named_row(0, "a")), "row 1 breaks the data dictionary: id"),
        (block(1, named_row(-1, "a")), "row 1 breaks the data dictionary: id"),
        (block(1, named_row(2**31, "a")), "row 1 breaks the data dictionary: id"),
    ],
)
def test_blocks_that_claim_what_cannot_be_are_refused(bench: Bench, blocks: bytes, match: str) -> None:
    bench.refuses(header(DEPARTMENTS) + blocks, match, rows=1)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"nonsense", "can't be unpacked"),
        (deflate(GOOD)[:-1], "cut off"),
        (b"", "cut off"),
        (deflate(GOOD) + b"garbage", "something behind its end"),
        (deflate(GOOD) + b"\0\0\0", "something behind its end"),
    ],
)
def test_packed_blocks_that_are_something_else_are_refused(bench: Bench, data: bytes, match: str) -> None:
    bench.refuses(header(DEPARTMENTS, "deflate") + block(1, data), match, rows=1)


def test_one_enormous_row_is_refused(bench: Bench) -> None:
    row = named_row(1, b"a" * 200 * 2**20)
    packed = deflate(row)
    assert len(packed) < 2**20
    bench.refuses(header(DEPARTMENTS, "deflate") + block(1, packed), "unpacks to more than 67,108,864 bytes", rows=1)
    bench.refuses(header(DEPARTMENTS) + block(1, row), "a block claims 2097152[0-9]{2} bytes$", rows=1)


def test_a_bomb_of_good_rows_is_refused(bench: Bench) -> None:
    """Its sidecar tells the truth: 600 rows of a megabyte each, packed a thousandfold."""
    one = [block(1, deflate(named_row(row, b"a" * 2**20))) for row in range(1, 601)]
    bench.refuses(header(DEPARTMENTS, "deflate") + b"".join(one), "unpacks to far more", rows=600)


def test_a_file_above_the_size_that_is_allowed_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bench.good["departments"]
    monkeypatch.setenv("TRADEWINDS_BACKUP_MAX_BYTES", str(len(whole) - 1))
    bench.refuses(whole, "TRADEWINDS_BACKUP_MAX_BYTES")
    # It isn't even read to its end.
    bench.refuses(whole, "TRADEWINDS_BACKUP_MAX_BYTES", sha256="0" * 64)
    with pytest.raises(StepFailed, match="TRADEWINDS_BACKUP_MAX_BYTES"):
        back_up(bench.engine, "rejected_rows", bench.store)


@pytest.mark.parametrize("size", ["0", "-1", "many", "²"])
def test_a_size_that_is_none_is_a_bad_request(bench: Bench, monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    from ingestion.errors import BadRequest

    monkeypatch.setenv("TRADEWINDS_BACKUP_MAX_BYTES", size)
    for act in (back_up, restore):
        with pytest.raises(BadRequest, match="TRADEWINDS_BACKUP_MAX_BYTES"):
            act(bench.engine, "departments", bench.store)


@pytest.mark.parametrize(
    ("row", "match"),
    [
        (rejected_row(1, 1, batch="no uuid"), "can't be decoded"),
        (rejected_row(1, 1, reasons=number(2**60) + text("a")), "can't be decoded"),
        (rejected_row(1, 1, reasons=number(-(2**60)) + number(2) + text("a")), "can't be decoded"),
        (rejected_row(1, 1, reasons=number(1) + number(2**60)), "can't be decoded"),
        (rejected_row(1, 1, reasons=number(1) + text("\0") + number(0)), "breaks the data dictionary: reasons"),
        (rejected_row(1, 1, at=2**62), "can't be decoded"),
        (rejected_row(1, 1, at=-(2**62)), "can't be decoded"),
    ],
)
def test_rejected_rows_that_cannot_be_are_refused(bench: Bench, row: bytes, match: str) -> None:
    content = header(SCHEMAS["rejected_rows"]) + block(1, row)
    bench.refuses(content, match, table="rejected_rows", rows=1)


@pytest.mark.parametrize("year", [1899, 2200])
def test_hires_before_1900_or_after_2199_are_refused(bench: Bench, year: int) -> None:
    days = {1899: -25_568, 2200: 84_006}[year]
    row = number(1) + text("a") + number(days * 86_400_000_000) + number(1) + number(1) + b"\x01"
    content = header(SCHEMAS["employees"]) + block(1, row)
    bench.refuses(content, "breaks the data dictionary: hiring_date", table="employees", rows=1)
