"""A hash by another algorithm is computed again, never compared."""

import dataclasses
import hashlib
from pathlib import Path

import pyarrow as pa
import pytest

from ingestion.digest import ALGORITHM, Digest
from ingestion.errors import StepFailed
from ingestion.extract import extract_source
from ingestion.landing import Landing
from ingestion.settings import Home
from pipeline.publishing.base import Version, combined_hash, version_of
from tests.python.ingestion.test_landing import DAY, NEXT, Source, numbers, path_of
from tests.python.pipeline.test_publishing import DAYS, MARTS, Engine
from tests.python.pipeline.test_publishing import engine as engine

# As releases before the algorithm's name wrote it, and as another DuckDB would.
OLDER = [hashlib.sha256(b"older").hexdigest(), f"duckdb-1.4:{hashlib.sha256(b'other').hexdigest()}"]


def land_by(algorithm_hash: str, landing: Landing, home: Home, *values: int) -> None:
    """Land a table whose manifest has a hash by another algorithm."""
    extract_source(Source({"a": numbers(*values)}), DAY, home)
    manifest = landing.manifest("fake", DAY)
    tables = {"a": dataclasses.replace(manifest.tables["a"], content_hash=algorithm_hash)}
    text = dataclasses.replace(manifest, tables=tables).to_json()
    Path(landing.location(f"_manifests/fake/{DAY}.json")).write_text(text, encoding="utf-8")


def hash_of(landing: Landing, day: str = DAY) -> str:
    return landing.manifest("fake", day).tables["a"].content_hash


@pytest.mark.parametrize("older", OLDER)
def test_the_same_rows_landed_again_keep_the_hash_that_raw_and_history_know(tmp_path: Path, older: str) -> None:
    home = Home(tmp_path)
    landing = Landing(home)
    land_by(older, landing, home, 1, 2)
    before = landing.fingerprint(DAY)
    extract_source(Source({"a": numbers(2, 1)}), DAY, home)
    assert (hash_of(landing), landing.fingerprint(DAY)) == (older, before)
    extract_source(Source({"a": numbers(2, 1)}), NEXT, home)
    assert hash_of(landing, NEXT).startswith(f"{ALGORITHM}:")
    wide = pa.table({"number": pa.array([1, 2], pa.int64())})
    for changed in (numbers(1, 3), numbers(1, 2, 2), wide):
        land_by(older, landing, home, 1, 2)
        extract_source(Source({"a": changed}), DAY, home)
        assert hash_of(landing) != older


def test_rows_whose_earlier_files_are_damaged_get_a_hash_of_their_own(tmp_path: Path) -> None:
    home = Home(tmp_path)
    landing = Landing(home)
    land_by(OLDER[0], landing, home, 1, 2)
    path_of(landing, landing.manifest("fake", DAY).files[0]).write_bytes(b"damaged")
    extract_source(Source({"a": numbers(1, 2)}), DAY, home)
    assert hash_of(landing).startswith(f"{ALGORITHM}:")


@pytest.fixture(params=["with the marts' hashes", "without"])
def older(request: pytest.FixtureRequest, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> str:
    """The version that another DuckDB has published, or a release that kept no hash of each mart."""
    with monkeypatch.context() as patched:
        patched.setattr("ingestion.digest.ALGORITHM", "duckdb-1.4")
        patched.setattr("pipeline.publishing.base.ALGORITHM", "duckdb-1.4")
        version = engine.publish(DAYS[0], {1: 10, 2: 20})
    if request.param == "without":
        if engine.is_postgres:
            engine.read("drop table public.published_marts")
        else:
            monkeypatch.setattr("pipeline.publishing.duckdb_marts._MARTS", "main.none")
    return version


def test_the_same_rows_stay_the_version_that_another_algorithm_has_named(engine: Engine, older: str) -> None:
    latest = engine.latest()
    engine.build(DAYS[0], {1: 10, 2: 20})
    assert not any(engine.publisher.changes(MARTS))
    assert engine.publisher.publish(DAYS[0], MARTS)[0].name == older
    assert engine.latest() == latest
    # Another day's are another version, and other rows.
    second = engine.publish(DAYS[1], {1: 10, 2: 20})
    assert second != f"{DAYS[1]}-{older.rpartition('-')[2]}"
    engine.build(DAYS[1], {1: 11, 2: 20})
    changes = {change.mart: change for change in engine.publisher.changes(MARTS)}
    assert changes["sales.orders"].changed == 1
    engine.publisher.publish(DAYS[1], MARTS)
    assert engine.reads() == {1: 11, 2: 20}
    assert engine.publisher.rollback(older).name == older
    assert engine.reads() == {1: 10, 2: 20}


def test_a_version_of_another_algorithm_that_lost_rows_is_not_put_before_readers(engine: Engine, older: str) -> None:
    if not engine.is_postgres or "published_marts" not in str(engine.read("select tablename from pg_tables")):
        return  # a file is held against its SHA-256, whatever the algorithm
    engine.publish(DAYS[1], {1: 11})
    schema = f"version_{older.replace('-', '_')}"
    engine.read(f'delete from {schema}."sales.lines" where order_id = 2')
    with pytest.raises(StepFailed, match="damaged"):
        engine.publisher.rollback()


@pytest.mark.parametrize("algorithm", ["duckdb-1.4:", ""])
def test_equal_digits_by_another_algorithm_are_no_equality(algorithm: str) -> None:
    built, published = ({"sales.orders": Digest(1, f"{ALGORITHM}:{digits}")} for digits in ("1" * 64, "2" * 64))
    name = combined_hash(built)
    current = Version(DAYS[0], algorithm + name.partition(":")[2])
    assert version_of(DAYS[0], built, current, lambda: published).content_hash == name
    assert version_of(DAYS[0], built, current, lambda: built) == current
    assert version_of(DAYS[1], built, current, lambda: built) == Version(DAYS[1], name)
