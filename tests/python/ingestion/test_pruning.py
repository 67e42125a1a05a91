"""Pruned days leave landing and raw, and what later days need stays: files, rows, hashes."""

import random
from collections import Counter
from pathlib import Path

import pytest

from ingestion.errors import Refused
from ingestion.extract import extract_source
from ingestion.landing import Landing
from ingestion.load import load_sources
from ingestion.settings import Home
from tests.python.ingestion.test_growth import ask, chain, day, landed_rows, raw_rows, run_days, table, warehouse
from tests.python.ingestion.test_landing import Source, parquet_files

__all__ = ["warehouse"]
DAYS = 9


def land(home: Home, number: int) -> list[list]:
    """Land days that change some rows or none, and one that has others, and return their rows."""
    days = chain(random.Random(number), DAYS, 2_000, 20)
    days[5] = chain(random.Random(99), 1, 2_000, 0)[0]
    run_days(home, days)
    return days


def prune(landing: Landing, *numbers: int) -> int | None:
    for number in numbers:
        with landing.day_lock("fake", day(number)):
            landing.prune("fake", day(number))
    return landing.sweep_pruned()


def test_kept_days_keep_their_rows_and_their_fingerprint(home, landing):
    days = land(home, 1)
    before = [landing.fingerprint(day(number)) for number in range(DAYS)]
    listed, first = landing.listed("fake"), landing.manifest("fake", day(0)).tables["t"].files[0]
    freed = prune(landing, 0, 1, 2, 4, 5)
    assert landing.days("fake") == [day(number) for number in (3, 6, 7, 8)]
    for number in (3, 6, 7, 8):
        assert landing.faults("fake", day(number), read_files=True) == []
        assert landed_rows(landing, day(number)) == Counter(days[number])
    assert [landing.fingerprint(day(number)) for number in range(DAYS)] == before
    # The first day's file is what the others stand on; what only pruned days listed is gone, and was counted.
    kept = landing.listed("fake")
    assert parquet_files(landing) == set(kept)
    assert (freed, kept[first.path]) == (sum(listed.values()) - sum(kept.values()), first.bytes)
    assert freed > 0
    assert not list(Path(landing.location()).rglob(f"*{day(1)}.started"))
    # When the last day that lists it goes, the file of a day that was pruned earlier goes too.
    extract_source(Source({"t": table(days[0])}), day(9), home)
    extract_source(Source({"t": table(chain(random.Random(7), 1, 2_000, 0)[0])}), day(10), home)
    prune(landing, 3, 6, 7, 8, 9)
    assert parquet_files(landing) == set(landing.listed("fake"))
    assert len(parquet_files(landing)) == 1


def test_a_pruned_day_and_those_before_it_can_not_land_again(home, landing):
    days = land(home, 2)
    prune(landing, 2, 4)
    files, hash_ = parquet_files(landing), landing.fingerprint(day(8))
    for number in (0, 2, 3, 4):
        with pytest.raises(Refused, match=f"days up to {day(4)} have been pruned"):
            extract_source(Source({"t": table(days[0])}), day(number), home)
    assert (parquet_files(landing), landing.fingerprint(day(8))) == (files, hash_)
    extract_source(Source({"t": table(days[0])}), day(5), home)
    assert landing.fingerprint(day(8)) != hash_


def test_a_kill_leaves_each_day_landed_or_pruned_and_the_next_prune_ends_it(home, landing, monkeypatch):
    """The first attempt ends after one write or removal, the next after two, and so on."""
    days = land(home, 3)
    before, left, attempts = landing.fingerprint(day(8)), 0, 0

    class Killed(BaseException):
        pass

    def cut_off(name: str) -> None:
        real = getattr(landing._store, name)

        def call(*args):
            nonlocal left
            real(*args)
            left -= 1
            if left == 0:
                raise Killed

        monkeypatch.setattr(landing._store, name, call)

    cut_off("write")
    cut_off("remove")
    while left <= 0:
        attempts += 1
        left = attempts
        try:
            prune(landing, *(number for number in range(7) if day(number) in landing.days("fake")))
        except Killed:
            there = landing.days("fake")
            gone = {day(number) for number in range(DAYS)} - set(there)
            assert {day(7), day(8)} <= set(there)
            assert gone <= set(landing.pruned_days())
            assert landing.fingerprint(day(8)) == before
            for run_date in there:
                assert landing.faults("fake", run_date, read_files=True) == []
    assert attempts > 5
    assert landing.days("fake") == [day(7), day(8)]
    assert parquet_files(landing) == set(landing.listed("fake"))
    assert landed_rows(landing, day(8)) == Counter(days[8])


def test_while_a_day_shares_files_none_goes(home, landing):
    days = land(home, 4)
    with Landing(home).sharing(landing.manifest("fake", day(8)), read_files=False) as shared:
        assert list(shared) == ["t"]
        files = parquet_files(landing)
        assert prune(landing, *range(8)) is None
        assert parquet_files(landing) == files
    assert landed_rows(landing, day(8)) == Counter(days[8])
    assert landing.sweep_pruned() > 0
    assert parquet_files(landing) == set(landing.listed("fake"))


def test_raw_keeps_the_rows_of_kept_days(home, warehouse):
    target, engine = warehouse
    days = land(home, 5)
    order = list(range(DAYS))
    random.Random(5).shuffle(order)
    for number in order:
        load_sources([Source({})], day(number), home, engine)
    history = "create table raw_ops.history_days as select date '2021-01-09' as run_date, 'x' as inputs"
    ask(target, engine, history)
    gone = [day(number) for number in (0, 2, 3, 5, 6)]
    with pytest.raises(Refused, match="history doesn't reach 2021-01-08"):
        engine.unload_days(gone, day(7))
    counts = engine.unload_days(gone, day(8), dry_run=True)
    assert engine.loaded_days() == [day(number) for number in range(DAYS)]
    assert engine.unload_days(gone, day(8)) == counts
    assert engine.loaded_days() == [day(number) for number in (1, 4, 7, 8)]
    kept = {day(number): Counter(days[number]) for number in (1, 4, 7, 8)}
    assert raw_rows(target, engine) == kept
    # No row is stored that no day has, nor one twice that only its days tell apart.
    before, after = counts
    assert before > after >= len(set().union(*(rows.keys() for rows in kept.values())))
    assert {"raw_fake__versions", "raw_ops"} <= {name for name, size in engine.space().items() if size}
    # Kept days can be loaded again.
    for number in (7, 1, 8, 4):
        load_sources([Source({})], day(number), home, engine)
    assert raw_rows(target, engine) == kept
