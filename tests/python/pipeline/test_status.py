"""`status` shows the ledger: the last days as a grid, each target by itself."""

import re
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ingestion.errors import BadRequest, Refused, StepFailed
from ingestion.settings import Home
from pipeline.ledger import STEPS, Ledger
from pipeline.ledger.status import day_table, days_grid, is_complete
from pipeline.site.history import read_days
from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY

FIRST = date(2021, 1, 1)


def _do(ledger: Ledger, day: str, steps: tuple[str, ...], target: str = "duckdb", **details: object) -> None:
    for step in steps:
        source = "northwind" if step == "extract" else None
        with ledger.recording(day, step, f"tradewinds {step}", target, source) as record:
            record.rows = 7
            record.details = dict(details)


def _lines(table: object) -> list[str]:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table)
    return capture.get().splitlines()


def test_the_grid_has_the_last_fourteen_days(tmp_path: Path) -> None:
    ledger = Ledger(Home(tmp_path))
    for number in range(16):
        _do(ledger, str(FIRST + timedelta(days=number)), STEPS[: 1 + number % len(STEPS)])
    header, *rows = _lines(days_grid(ledger))
    assert header.split()[:8] == ["run", "date", *STEPS]
    assert [row.split()[0] for row in rows] == [str(FIRST + timedelta(days=number)) for number in range(2, 16)]
    assert [row.count("done") for row in rows] == [1 + number % len(STEPS) for number in range(2, 16)]
    assert all("not run" in row for row in rows if row.count("done") < len(STEPS))


def test_a_guard_that_was_answered_for_is_marked(tmp_path: Path) -> None:
    ledger = Ledger(Home(tmp_path))
    _do(ledger, "2021-01-01", ("extract", "load"))
    _do(ledger, "2021-01-01", ("check_arrivals",), accepted=["shrink"])
    text = "\n".join(_lines(days_grid(ledger)))
    assert text.count("done*") == 1
    assert "--accept-" in text


def test_each_target_is_complete_for_itself(tmp_path: Path) -> None:
    ledger = Ledger(Home(tmp_path))
    _do(ledger, "2021-01-01", STEPS)
    assert is_complete(ledger, "2021-01-01")
    assert is_complete(ledger, "2021-01-01", "duckdb")
    _do(ledger, "2021-01-01", STEPS[:3], "postgres")
    with pytest.raises(RuntimeError), ledger.recording("2021-01-01", "build", "again", "postgres"):
        raise RuntimeError("no room")
    assert is_complete(ledger, "2021-01-01", "duckdb")
    assert not is_complete(ledger, "2021-01-01", "postgres")
    assert not is_complete(ledger, "2021-01-01"), "the last build is the failed one"
    (failed,) = (row for row in _lines(day_table(ledger, "2021-01-01", "postgres")) if "no room" in row)
    assert "failed" in failed
    assert {entry["target"] for entry in ledger.entries() if entry["step"] == "build"} == {"duckdb", "postgres"}


def test_what_never_ran_names_the_command(tmp_path: Path) -> None:
    text = "\n".join(_lines(day_table(Ledger(Home(tmp_path)), "2021-01-01", "postgres")))
    assert "tradewinds check --run-date 2021-01-01 --stage arrivals --target postgres" in text
    assert "tradewinds publish --run-date 2021-01-01" in text


def _attempt(ledger: Ledger, step: str, error: Exception, source: str | None = None) -> None:
    with pytest.raises(type(error)), ledger.recording("2021-01-01", step, "again", "duckdb", source):
        raise error


def test_an_attempt_leaves_a_finished_record_and_an_empty_day_as_they_are(tmp_path: Path) -> None:
    ledger = Ledger(Home(tmp_path))
    for error in (Refused("nothing is built"), BadRequest("a typo")):
        _attempt(ledger, "publish", error)
        assert ledger.days() == []
    _do(ledger, "2021-01-01", ("extract", "load"))
    files = {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*.json")}
    for source in ("northwind", "people"):
        _attempt(ledger, "extract", BadRequest("a typo"), source)
    for error in (Refused("nothing has landed"), BadRequest("a typo")):
        _attempt(ledger, "load", error)
    assert {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*.json")} == files
    _do(ledger, "2021-01-01", ("load",), "postgres")
    _attempt(ledger, "load", Refused("nothing has landed"))
    assert ledger.read("2021-01-01", "load")["target"] == "postgres"
    # What the day's other steps wait for is worth a row, until it is done or fails.
    for error, state in (
        (Refused("not loaded"), "refused"),
        (StepFailed("no room"), "failed"),
        (Refused("?"), "failed"),
    ):
        _attempt(ledger, "build", error)
        assert ledger.read("2021-01-01", "build")["state"] == state


def test_a_skipped_publish_is_no_publish_and_completes_its_day(tmp_path: Path) -> None:
    ledger = Ledger(Home(tmp_path))
    _do(ledger, "2021-01-01", STEPS)
    published = ledger.read("2021-01-01", "publish")["last_success"]
    with ledger.recording("2021-01-01", "publish", "tradewinds publish", "duckdb") as record:
        record.state = "skipped"
    entry = ledger.read("2021-01-01", "publish")
    assert (entry["state"], entry["last_success"]) == ("skipped", published)
    assert is_complete(ledger, "2021-01-01")
    (row,) = [row for row in _lines(days_grid(ledger)) if "2021-01-01" in row]
    assert row.count("done") == len(STEPS) - 1
    assert read_days(ledger)[0].steps["publish"] == "skipped"


@pytest.mark.parametrize("target", ["duckdb", "postgres"])
def test_readers_see_how_a_day_ended_with_its_publish(built_homes: BuiltHomes, target: str) -> None:
    home = built_homes.original(target)
    columns = "step, state, ended_at is null, duration_seconds is null"
    query = f"select {columns} from ops.fct_pipeline_steps where run_date = '{BUILT_DAY}'"
    rows = home.published(query) if target == "duckdb" else home.warehouse.query(query)
    assert {step for step, *_ in rows} == set(STEPS)
    assert {tuple(row[1:]) for row in rows} == {("done", False, False)}


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_date_breaks_whatever_the_terminal_is_wide(tmp_path: Path, width: int) -> None:
    ledger = Ledger(Home(tmp_path))
    _do(ledger, "2021-01-01", STEPS, accepted=["shrink"], version="2021-01-01-0123456789ab")
    _do(ledger, "2021-01-02", STEPS[:2])
    with ledger.recording("2021-01-02", "extract", "again", "duckdb", "a_source_whose_name_takes_half_of_a_line"):
        pass
    console = Console(width=width, file=StringIO())
    grid = days_grid(ledger, is_narrow=width == 80)
    console.print(grid)
    console.width = min(width, 70)
    console.print(day_table(ledger, "2021-01-02"))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines[1:3]] == ["2021-01-01", "2021-01-02"]
    assert ("2021-01-01-0123456789ab" in lines[1]) == (width > 80)
    assert sum(bool(re.search(r" \d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", line)) for line in lines) == 3
    assert lines[-1].strip() == "run: tradewinds publish --run-date 2021-01-02"
