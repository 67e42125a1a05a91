"""A day in a bucket equals a day on disk: same rows, same protocol, no key in any output."""

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import fsspec
import pytest

from ingestion.errors import StepFailed
from ingestion.extract import extract_source
from ingestion.landing import Landing, Manifest
from ingestion.load import load_sources
from ingestion.settings import PROJECT, Home
from ingestion.sources import SOURCES
from ingestion.stores import open_store
from ingestion.warehouse import open_warehouse
from tests.python.built import BuiltHomes
from tests.python.s3_servers import S3Server
from tests.python.sandbox import Sandbox

DAY, NEXT = "2021-01-01", "2021-01-02"
HEADER = "order_id,product_id,unit_price,quantity,discount"
KILLS = int(os.environ.get("TRADEWINDS_KILLS", "4"))


def _stores_in(server: S3Server) -> dict[str, str]:
    """Settings that put every store into a bucket of this server."""
    place = server.new_place()
    return server.settings | {
        f"TRADEWINDS_{store}_URL": f"{place}/{store.lower()}"
        for store in ("LANDING", "PUBLISHED", "EXPORTS", "BACKUPS")
    }


def _hashes(landing: Landing, source: str) -> dict[str, str]:
    return {name: table.content_hash for name, table in landing.manifest(source, DAY).tables.items()}


# One day, twice


def test_a_day_in_a_bucket_is_the_day_on_disk(
    built_homes: BuiltHomes, s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared_built = built_homes.original()
    in_bucket = dataclasses.replace(shared_built, home=tmp_path / "bucket")
    in_bucket.settings = shared_built.settings | _stores_in(s3_server)
    said = in_bucket.succeed("run", "--run-at", f"{DAY}T10:30:00+02:00")
    assert said.count("ignores conditional puts") == 1
    assert f"exports             {in_bucket.settings['TRADEWINDS_EXPORTS_URL']}/{DAY}/" in said

    on_disk = Landing(Home(shared_built.home))
    monkeypatch.setitem(fsspec.config.conf, "s3", s3_server.options)
    for name, value in in_bucket.settings.items():
        monkeypatch.setenv(name, value)
    home = Home(in_bucket.home)
    landing = Landing(home)
    for source in SOURCES:
        assert landing.faults(source, DAY, read_files=True) == []
        assert _hashes(landing, source) == _hashes(on_disk, source)

    published, exports = open_store(home.published, home.work), open_store(home.exports, home.work)
    latest = json.loads(published.read("latest.json"))
    assert latest["version"] == json.loads((shared_built.home / "published" / "latest.json").read_text())["version"]
    with published.local(["tradewinds.duckdb"]) as (file,), duckdb.connect(str(file), read_only=True) as connection:
        steps = f"from ops.fct_pipeline_steps where run_date = '{DAY}'"
        assert connection.sql(f"select distinct cast(run_at as varchar) {steps}").fetchall() == [(f"{DAY} 08:30:00",)]
    files = sorted((shared_built.home / "exports" / DAY).iterdir())
    assert exports.names(DAY) == [f"{DAY}/{file.name}" for file in files]
    assert [exports.read(f"{DAY}/{file.name}") for file in files] == [file.read_bytes().decode() for file in files]
    # Nothing of a store is left in the home.
    stores = ("landing", "published", "exports", "backups")
    assert not [name for name in stores if (in_bucket.home / name).exists()]
    assert "days are whole" in in_bucket.succeed("verify").replace("landed ", "")

    # On the other engine, too, a bucket is published to and loaded from; a build and its checks know no store.
    on_postgres = built_homes.copy(tmp_path, "postgres")
    on_postgres.settings |= s3_server.settings | {"TRADEWINDS_PUBLISHED_URL": s3_server.new_place()}
    on_postgres.succeed("publish", "--run-date", DAY)
    on_postgres.settings["TRADEWINDS_LANDING_URL"] = in_bucket.settings["TRADEWINDS_LANDING_URL"]
    on_postgres.succeed("load", "--run-date", DAY)
    loaded = on_postgres.warehouse.query("select distinct source, run_id from raw_ops.landed_tables")
    assert dict(loaded) == {source: landing.manifest(source, DAY).last_run for source in SOURCES}
    monkeypatch.setenv("TRADEWINDS_PUBLISHED_URL", on_postgres.settings["TRADEWINDS_PUBLISHED_URL"])
    of_postgres = json.loads(open_store(home.published, home.work).read("latest.json"))
    assert (of_postgres["target"], of_postgres["version"]) == ("postgres", latest["version"])


def test_no_key_is_in_anything_that_a_run_leaves(
    sandbox: Sandbox, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = {"FSSPEC_S3_KEY": "CANARYKEY0123456789", "FSSPEC_S3_SECRET": "canary/secret+0123456789"}
    words = ("extract", "--run-date", DAY, "--source", "order_details")
    sandbox.settings |= _stores_in(s3_server)
    said = [sandbox.succeed(*words)]
    sandbox.settings |= canary
    sandbox.by_script = True
    process = sandbox.start(*words)
    listed = []
    while process.poll() is None:
        found = Path(f"/proc/{process.pid}/cmdline")
        listed.append(found.read_bytes().decode() if found.exists() else "")
        time.sleep(0.05)
    said += process.communicate()
    assert process.returncode == 1
    assert len(said[-1].strip().splitlines()) == 1
    sandbox.settings["TRADEWINDS_LANDING_URL"] = "s3://{FSSPEC_S3_KEY}:{FSSPEC_S3_SECRET}@bucket/x".format(**canary)
    said.append(sandbox.fail(2, *words))
    kept = [path.read_bytes().decode(errors="replace") for path in sandbox.home.rglob("*") if path.is_file()]
    monkeypatch.setitem(fsspec.config.conf, "s3", s3_server.options)
    bucket = open_store(sandbox.settings["TRADEWINDS_EXPORTS_URL"].rpartition("/")[0], sandbox.home)
    for name in bucket.names():
        with bucket.open(name) as file:
            kept.append(file.read().decode(errors="replace"))
    assert len(kept) > len(bucket.names()) > 0
    for secret in (*canary.values(), s3_server.secret):
        assert not any(secret in text for text in (*said, *listed, *kept))


# The protocol


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The order lines that the next extract reads."""
    path = tmp_path / "order_details.csv"
    monkeypatch.setenv("SOURCES__ORDER_DETAILS__PATH", str(path))
    _write_lines(path, 1)
    return path


@pytest.fixture
def home(conditional_s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose landing is in a bucket."""
    monkeypatch.setitem(fsspec.config.conf, "s3", conditional_s3_server.options)
    monkeypatch.setenv("TRADEWINDS_LANDING_URL", conditional_s3_server.new_place())
    return Home(tmp_path / "home")


def _write_lines(path: Path, quantity: int) -> None:
    rows = [f"{order},{product},1.5,{quantity},0" for order in range(200) for product in range(5)]
    path.write_text("\n".join([HEADER, *rows, "not a line"]) + "\n", encoding="utf-8")


def _extract(home: Home) -> Manifest:
    return extract_source(SOURCES["order_details"], DAY, home)


def _parquet(home: Home) -> list[str]:
    return [name for name in open_store(home.landing, home.work).names() if name.endswith(".parquet")]


def test_an_extract_replaces_a_day_and_what_it_replaced_is_removed(home: Home, lines: Path) -> None:
    first = _extract(home)
    assert (first.rows, first.rejected_rows) == (1000, 1)
    _write_lines(lines, 2)
    second = _extract(home)
    assert Landing(home).manifest("order_details", DAY) == second != first
    assert _parquet(home) == sorted(file.path for file in second.files)
    assert Landing(home).faults("order_details", DAY, read_files=True) == []
    assert load_sources([SOURCES["order_details"]], DAY, home, open_warehouse("duckdb", home)) == {
        "raw_northwind.order_details": 1000
    }


def test_a_commit_that_was_overtaken_leaves_the_other_ones_day(home: Home, lines: Path) -> None:
    landing, mine = Landing(home), _extract(home)
    seen = landing.version("order_details", DAY)
    _write_lines(lines, 2)
    other = _extract(home)
    with pytest.raises(StepFailed, match="another process has landed order_details for this day meanwhile"):
        landing.commit(mine, [], seen)
    assert landing.manifest("order_details", DAY) == other
    assert landing.faults("order_details", DAY, read_files=True) == []


def test_a_damaged_or_missing_file_in_a_bucket_stops_the_load(home: Home, lines: Path) -> None:
    manifest = _extract(home)
    store, file = open_store(home.landing, home.work), manifest.files[0]
    with store.local([file.path]) as (copy,):
        data = bytearray(copy.read_bytes())
    data[len(data) // 2] ^= 1
    with store.draft("damaged") as draft:
        draft.write_bytes(data)
        store.put(draft, file.path)
    for fault in ("is damaged", "is missing"):
        with pytest.raises(Exception, match=f"{file.path} {fault}"):
            load_sources([SOURCES["order_details"]], DAY, home, open_warehouse("duckdb", home))
        store.remove(file.path)


# Killed at any moment

FORKING = f"""
import os, sys
import pyarrow.parquet, duckdb, dlt, s3fs, fsspec
import ingestion.extraction, ingestion.stores.s3
from dlt.destinations import duckdb as _
from ingestion.extract import extract_source
from ingestion.load import load_sources
from ingestion.settings import Home
from ingestion.sources import SOURCES
from ingestion.warehouse import open_warehouse
home, source = Home.from_environment(), SOURCES["order_details"]
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            extract_source(source, "{DAY}", home)
            load_sources([source], "{DAY}", home, open_warehouse("duckdb", home))
        except BaseException as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture
def forking(home: Home, conditional_s3_server: S3Server, lines: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that forks one which extracts and loads the day, for every line it gets; it says its id and its end."""
    process = subprocess.Popen(
        [sys.executable, "-c", FORKING],
        cwd=PROJECT,
        env=os.environ | conditional_s3_server.settings | {"TRADEWINDS_HOME": str(home.root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def _go(forking: subprocess.Popen[str], kill_after: float | None = None) -> int:
    """Extract and load once, killed after so many seconds; return the exit code."""
    forking.stdin.write("go\n")
    forking.stdin.flush()
    child = int(forking.stdout.readline())
    if kill_after is not None:
        time.sleep(kill_after)
        with suppress(ProcessLookupError):  # it has ended by itself
            os.kill(child, signal.SIGKILL)
    return int(forking.stdout.readline())


def _loaded(home: Home) -> int:
    """Return the quantity that all loaded rows have; a day that is half of each would have two."""
    with duckdb.connect(str(home.warehouse / "tradewinds.duckdb"), read_only=True) as connection:
        query = "select any_value(quantity), count(*), count(distinct quantity) from raw_northwind.order_details"
        quantity, rows, kinds = connection.execute(query).fetchone()
    assert (rows, kinds) == (1000, 1)
    return quantity


def test_killed_at_any_moment_readers_have_the_old_day_or_the_new_one(
    forking: subprocess.Popen[str], home: Home, lines: Path
) -> None:
    assert _go(forking) == 0
    started = time.monotonic()
    assert _go(forking) == 0
    seconds, chance, ended = time.monotonic() - started, random.Random(7), {}
    landing = Landing(home)
    for number in range(2, KILLS + 2):
        before, was_loaded = landing.manifest("order_details", DAY), _loaded(home)
        _write_lines(lines, number)
        code = _go(forking, chance.uniform(0, seconds))
        now = landing.manifest("order_details", DAY)
        state = "old" if now == before else "new"
        ended[state] = ended.get(state, 0) + 1
        with landing.local("order_details", DAY, now.files) as paths, duckdb.connect() as connection:
            rows = f"read_parquet('{paths[0]}', hive_partitioning = false)"
            (quantities,) = connection.execute(f"select list(distinct quantity) from {rows}").fetchone()
        assert quantities == [was_loaded if state == "old" else number]
        assert _loaded(home) in ({was_loaded, number} if state == "new" else {was_loaded})
        assert code in (0, -signal.SIGKILL)

        assert _go(forking) == 0  # at once: no lock is in the way
        assert _loaded(home) == number
        assert landing.faults("order_details", DAY, read_files=True) == []
        assert _parquet(home) == sorted(file.path for file in landing.manifest("order_details", DAY).files)
        left = [path for path in home.work.rglob("*") if path.suffix in (".parquet", ".held")]
        assert left == []
    assert sum(ended.values()) == KILLS
