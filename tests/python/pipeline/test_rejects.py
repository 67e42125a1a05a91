"""Rejected rows are capped, listed, and land once they are corrected."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from ingestion.errors import BadRequest, StepFailed
from ingestion.extract import extract_source
from ingestion.landing import Landing, Manifest
from ingestion.redact import show_text
from ingestion.rejects import read_caps
from ingestion.replay import replay_source
from ingestion.settings import PROJECT, Home
from ingestion.sources import SOURCES
from pipeline.cli.row_formats import write_rows
from pipeline.run.reporter import Reporter
from tests.python.sandbox import Sandbox

DAY = "2021-01-01"
WORDS = ["--run-date", DAY, "--source", "order_details"]
HEADER = "order_id,product_id,unit_price,quantity,discount"
GOOD, BAD = "10248,11,14,12,0", "10248,11,14"
ROWS_SETTING = "SOURCES__ORDER_DETAILS__MAX_REJECTED_ROWS"
SHARE_SETTING = "SOURCES__ORDER_DETAILS__MAX_REJECTED_SHARE"


def write_lines(sandbox: Sandbox, *lines: str) -> None:
    """Make these the lines of the sandbox's order_details file, after the header."""
    sandbox.order_details.write_text("\n".join([HEADER, *lines]) + "\n")


@pytest.fixture
def lines_sandbox(bare_sandbox: Sandbox, tmp_path: Path) -> Sandbox:
    """A home in which only an order_details file is configured."""
    bare_sandbox.order_details = tmp_path / "lines.csv"
    bare_sandbox.settings["SOURCES__ORDER_DETAILS__PATH"] = str(bare_sandbox.order_details)
    return bare_sandbox


@dataclass
class Lines:
    """An order_details file, and its extracts and replays in this process."""

    path: Path
    home: Home

    @property
    def landing(self) -> Landing:
        return Landing(self.home)

    def parquet_files(self) -> set[str]:
        """The names of all Parquet files below landing, listed or not."""
        root = Path(self.landing.location())
        return {path.relative_to(root).as_posix() for path in root.rglob("*.parquet")}

    def write(self, *lines: str) -> None:
        self.path.write_text("\n".join([HEADER, *lines]) + "\n")

    def extract(self) -> Manifest:
        return extract_source(SOURCES["order_details"], DAY, self.home)

    def replay(self) -> int:
        """Return how many rows were added."""
        return replay_source(SOURCES["order_details"], DAY, self.home, lambda table, rows, is_complete: None).added


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lines:
    monkeypatch.setenv("SOURCES__ORDER_DETAILS__PATH", str(tmp_path / "lines.csv"))
    return Lines(tmp_path / "lines.csv", Home(tmp_path / "home"))


def landed_state(sandbox: Sandbox | Lines) -> dict[str, tuple[int, bytes]]:
    """Every manifest, mark and Parquet file of landing, with its time of change and its bytes."""
    landing = Path(sandbox.landing.location()) if isinstance(sandbox, Lines) else sandbox.home / "landing"
    files = [path for path in landing.rglob("*") if path.suffix in (".json", ".started", ".parquet")]
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def rejected_lines(sandbox: Sandbox) -> list[tuple[int, str]]:
    rows = json.loads(sandbox.succeed("rejects", "list", *WORDS, "--format", "json"))
    return [(row["line_number"], row["raw_text"]) for row in rows]


# Caps


@pytest.mark.parametrize(
    ("setting", "value", "good", "passing", "cap"),
    [
        (ROWS_SETTING, "2", 9, 2, "max_rejected_rows = 2"),
        (ROWS_SETTING, "0", 9, 0, "max_rejected_rows = 0"),
        (SHARE_SETTING, "0.25", 3, 1, "max_rejected_share = 0.25"),
        (SHARE_SETTING, "0", 3, 0, "max_rejected_share = 0"),
        (None, None, 1, 9, "max_rejected_share = 0.9"),  # the committed default
    ],
)
def test_as_many_as_the_cap_pass_and_one_more_fails(lines, monkeypatch, setting, value, good, passing, cap) -> None:
    if setting:
        monkeypatch.setenv(setting, value)
    lines.write(*[GOOD] * good, *[BAD] * passing)
    before = lines.extract()
    assert before.rejected_rows == passing
    lines.write(*[GOOD] * good, *[BAD] * (passing + 1))
    with pytest.raises(StepFailed) as failed:
        lines.extract()
    line = str(failed.value)
    assert f"table order_details: {passing + 1} of {good + passing + 1} rows can't be read, more than {cap}" in line
    assert (setting or SHARE_SETTING) in line
    assert f"line {good + 2} wrong number of columns: {BAD}" in line
    assert line.count("wrong number of columns") == min(passing + 1, 3)
    assert lines.landing.manifest("order_details", DAY) == before
    assert set(Path(lines.landing.location()).rglob("*.parquet")) == {
        Path(lines.landing.location(file.path)) for file in before.files
    }


@pytest.mark.parametrize(
    ("setting", "value"),
    [(ROWS_SETTING, bad) for bad in ("-1", "many", "1.5", "True")]
    + [(SHARE_SETTING, bad) for bad in ("-0.1", "1.1", "nan", "inf", "90%")],
)
def test_a_cap_that_cannot_be_read_is_a_wrong_request(monkeypatch, setting: str, value: str) -> None:
    monkeypatch.setenv(setting, value)
    with pytest.raises(BadRequest, match=f"{setting} can't be read: .* found {value!r}"):
        read_caps("order_details", "csv")
    read_caps("event_log", "csv")


def test_a_passed_cap_is_one_line_with_its_examples_cut_short(lines_sandbox: Sandbox) -> None:
    lines_sandbox.settings["SOURCES__EVENT_LOG__MAX_REJECTED_ROWS"] = "0"
    write_lines(lines_sandbox, GOOD, "\x1b[31m" + "x" * 10_000)
    lines_sandbox.succeed("extract", *WORDS)
    lines_sandbox.settings[ROWS_SETTING] = "0"
    line = lines_sandbox.fail(1, "extract", *WORDS)
    assert "line 3 wrong number of columns: \\x1b[31mxxx" in line
    assert line.endswith(f"run: tradewinds extract {' '.join(WORDS)}")
    assert len(line) < 400
    lines_sandbox.settings[ROWS_SETTING] = "none"
    assert ROWS_SETTING in lines_sandbox.fail(2, "extract", *WORDS)


# The list

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\tx",
    '"quoted, and unclosed',
    "[bold red]markup[/]",
    "\x1b[2J\x07\u202e",
    "é🙂",
]


def test_hostile_text_is_listed_as_text(lines_sandbox: Sandbox) -> None:
    write_lines(lines_sandbox, GOOD, *HOSTILE)
    lines_sandbox.succeed("extract", *WORDS)
    rows = json.loads(lines_sandbox.succeed("rejects", "list", "--run-date", DAY, "--format", "json"))
    assert [row["raw_text"] for row in rows] == HOSTILE
    assert [row["line_number"] for row in rows] == list(range(3, 3 + len(HOSTILE)))
    assert {(row["run_date"], row["source"], row["table_name"], row["file"]) for row in rows} == {
        (DAY, "order_details", "order_details", "lines.csv")
    }
    text = lines_sandbox.succeed("rejects", "list", "--run-date", DAY, "--format", "csv")
    cells = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [cell["raw_text"] for cell in cells] == ["'" + bad for bad in HOSTILE[:5]] + HOSTILE[5:]
    assert not [row for row in csv.reader(io.StringIO(text, newline="")) for cell in row if cell[:1] in set("=+-@\t\r")]
    table = lines_sandbox.succeed("rejects", "list", "--run-date", DAY)
    assert "\x1b" not in table
    assert "\\x1b[2J\\x07\\u202e" in table
    assert "[bold red]markup[/]" in table


def test_a_table_has_twenty_rows_unless_said(lines_sandbox: Sandbox) -> None:
    write_lines(lines_sandbox, *[GOOD] * 9, *[BAD] * 25)
    lines_sandbox.succeed("extract", *WORDS)
    listing = ["rejects", "list", *WORDS]
    table = lines_sandbox.succeed(*listing)
    assert table.count(BAD) == 20
    assert "and 5 more" in table
    assert lines_sandbox.succeed(*listing, "--limit", "30").count(BAD) == 25


def test_a_limit_holds_for_scripts_too(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"rule": "bad", "rows": number} for number in range(5)]
    write_rows(rows, ("rule", "rows"), "csv", 2, Reporter())
    assert capsys.readouterr().out == "rule,rows\nbad,0\nbad,1\n"
    write_rows(rows, ("rule", "rows"), "json", 2, Reporter())
    assert json.loads(capsys.readouterr().out) == rows[:2]
    write_rows([], ("rule",), "json", None, Reporter())
    assert json.loads(capsys.readouterr().out) == []


def test_both_kinds_are_listed_and_counted_once(lines_sandbox: Sandbox) -> None:
    other = "2021-01-02"
    write_lines(lines_sandbox, GOOD, BAD, "x,1,1,1,1")
    lines_sandbox.succeed("extract", *WORDS)
    write_lines(lines_sandbox, GOOD, BAD, BAD)
    lines_sandbox.succeed("extract", "--run-date", other, "--source", "order_details")
    warehouse = lines_sandbox.home / "warehouse" / "tradewinds.duckdb"
    warehouse.parent.mkdir()
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema quarantine; create schema raw_ops")
        days = f"['{DAY}', '{other}']"
        connection.execute(f"create table quarantine._judged_days as select unnest({days})::date as run_date")
        mark = f"'{other}' as run_date, 'built' as state, 'one' as invocation_id"
        connection.execute(f"create table raw_ops.build_mark as select {mark}")
        connection.execute("create table raw_ops.landed_tables (run_date date, source varchar, run_id varchar)")
        for day in (DAY, other):
            run_id = lines_sandbox.manifest("order_details", day)["run_id"]
            connection.execute("insert into raw_ops.landed_tables values (?, 'order_details', ?)", [day, run_id])
        connection.execute(
            "create table quarantine.rejected_rows (run_date date, source varchar, table_name varchar, file varchar, "
            "line_number bigint, rule varchar, raw_text varchar)"
        )
        connection.executemany(
            "insert into quarantine.rejected_rows values (?, ?, ?, ?, ?, ?, ?)",
            [
                (DAY, "order_details", "order_details", "lines.csv", 3, "wrong number of columns", BAD),
                (DAY, "northwind", "orders", None, None, "out of range", '{"freight": "NaN"}'),
                (DAY, "northwind", "orders", None, None, "freight is negative", '=freight"'),
                (DAY, "order_details", "order_details", None, None, "quantity is negative", "{}"),
                (DAY, "people", "employees", "employees.csv", 7, "name: missing", "7,,2021-01-01T00:00:00Z,1,1"),
                (DAY, "people", "employees", None, None, "out of range: hiring_date", "{}"),
                (other, "northwind", "orders", None, None, "freight is negative", "{}"),
            ],
        )

    def listed(*words: str) -> list[tuple]:
        rows = json.loads(lines_sandbox.succeed("rejects", "list", "--format", "json", *words))
        return [(row["run_date"], row["source"], row["rule"], row.get("rows", row.get("raw_text"))) for row in rows]

    assert listed("--run-date", DAY) == [
        (DAY, "order_details", "wrong number of columns", BAD),
        (DAY, "order_details", "order_id has the wrong type", "x,1,1,1,1"),
        (DAY, "northwind", "freight is negative", '=freight"'),
        (DAY, "order_details", "quantity is negative", "{}"),
        (DAY, "people", "name: missing", "7,,2021-01-01T00:00:00Z,1,1"),
    ]
    assert listed() == [
        (other, "northwind", "freight is negative", 1),
        (other, "order_details", "wrong number of columns", 2),
        (DAY, "northwind", "freight is negative", 1),
        (DAY, "order_details", "order_id has the wrong type", 1),
        (DAY, "order_details", "quantity is negative", 1),
        (DAY, "order_details", "wrong number of columns", 1),
        (DAY, "people", "name: missing", 1),
    ]
    assert listed("--source", "order_details") == [
        (other, "order_details", "wrong number of columns", 2),
        (DAY, "order_details", "order_id has the wrong type", 1),
        (DAY, "order_details", "quantity is negative", 1),
        (DAY, "order_details", "wrong number of columns", 1),
    ]
    assert listed("--source", "northwind") == [], "it hasn't landed"
    write_lines(lines_sandbox, GOOD, BAD, "x,1,1,1,1")
    assert "1 more rows of order_details broke a rule" in lines_sandbox.succeed("rejects", "replay", *WORDS)


def test_what_cannot_be_listed_says_why(lines_sandbox: Sandbox) -> None:
    assert "no rejected rows" in lines_sandbox.succeed("rejects", "list")
    assert "unknown source 'nope'" in lines_sandbox.fail(2, "rejects", "list", "--source", "nope")
    line = lines_sandbox.fail(3, "rejects", "list", "--run-date", DAY)
    assert line.endswith(f"run: tradewinds extract --run-date {DAY}")
    write_lines(lines_sandbox, GOOD, BAD)
    lines_sandbox.succeed("extract", *WORDS)
    line = lines_sandbox.fail(3, "rejects", "list", "--run-date", DAY, "--source", "event_log")
    assert "event_log not landed" in line
    assert line.endswith(f"run: tradewinds extract --run-date {DAY} --source event_log")
    (rejects,) = (lines_sandbox.home / "landing" / "_rejects").rglob("*.parquet")
    rejects.write_bytes(rejects.read_bytes().replace(BAD.encode(), BAD[::-1].encode()))
    line = lines_sandbox.fail(1, "rejects", "list", "--run-date", DAY)
    assert "is damaged" in line
    assert line.endswith(f"run: tradewinds extract {' '.join(WORDS)}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("short", "short"), ("x" * 60, "x" * 60), ("x" * 61, "x" * 59 + "…"), ("\n" * 61, "\\n" * 29 + "\\…")],
)
def test_text_is_shown_on_one_short_line(text: str, shown: str) -> None:
    assert show_text(text) == shown


# The replay


def test_a_replay_that_changes_nothing_leaves_every_file_alone(lines_sandbox: Sandbox, tmp_path: Path) -> None:
    replay = ["rejects", "replay", *WORDS]
    line = lines_sandbox.fail(3, *replay)
    assert "order_details has not landed" in line
    assert line.endswith(f"run: tradewinds extract {' '.join(WORDS)}")
    assert not landed_state(lines_sandbox)

    write_lines(lines_sandbox, GOOD, BAD, "x,1,1,1,1")
    lines_sandbox.succeed("extract", *WORDS)
    before = landed_state(lines_sandbox)
    assert "none of the 2 rejected rows of order_details is good now" in lines_sandbox.succeed(*replay)
    assert landed_state(lines_sandbox) == before

    # Another line has changed: the day is as good as it was.
    write_lines(lines_sandbox, "9,9,9,9,9", "1,1,1,1,1", BAD)
    line = lines_sandbox.fail(1, *replay)
    assert "table order_details lacks 1 of the 1 landed rows" in line
    assert line.endswith(f"run: tradewinds extract {' '.join(WORDS)}")
    lines_sandbox.succeed("load", *WORDS)
    assert lines_sandbox.query("select order_id from raw_northwind.order_details") == [(10248,)]

    lines_sandbox.order_details.unlink()
    line = lines_sandbox.fail(1, *replay)
    assert "can't be read" in line
    assert line.endswith(f"run: tradewinds {' '.join(replay)}")
    assert "Invalid value for '--from'" in lines_sandbox.fail(2, *replay, "--from", str(tmp_path / "nowhere"))
    words = ["--run-date", DAY, "--source", "northwind", "--from", str(Path(__file__))]
    assert "--from needs a source that is a CSV file" in lines_sandbox.fail(2, "rejects", "replay", *words)
    assert landed_state(lines_sandbox) == before
    assert lines_sandbox.run("status", "--run-date", DAY).stdout.count("failed") == 0

    # An extract that failed isn't mended by a replay: its day isn't whole.
    lines_sandbox.fail(1, "extract", *WORDS)
    write_lines(lines_sandbox, GOOD, GOOD, GOOD)
    assert "the last extract of order_details failed" in lines_sandbox.fail(3, *replay)


@pytest.mark.parametrize(
    ("now", "changes"),
    [
        ((GOOD, GOOD, "1,1,1,1,1", "2,2,2,2,2", BAD), ["table order_details has 5 rows instead of 4"]),
        ((GOOD, GOOD, "1,1,1,1,1"), ["table order_details has 3 rows instead of 4"]),
        (("9,9,9,9,9", GOOD, "1,1,1,1,1", BAD), ["table order_details lacks 1 of the 2 landed rows"]),
        ((BAD, GOOD, "1,1,1,1,1", "2,2,2,2,2"), ["table order_details lacks 1 of the 2 landed rows"]),
        ((GOOD, BAD, BAD, BAD), ["table order_details lacks 1 of the 2 landed rows"]),
        ((BAD, BAD), ["has 2 rows instead of 4", "lacks 2 of the 2 landed rows"]),
    ],
)
def test_whatever_else_changed_is_said_and_nothing_lands(
    lines: Lines, now: tuple[str, ...], changes: list[str]
) -> None:
    """Equal rows are counted: of two landed ones, one that is left doesn't stand for both."""
    lines.write(GOOD, GOOD, BAD, "x,1,1,1,1")
    lines.extract()
    before = landed_state(lines)
    lines.write(*now)
    with pytest.raises(StepFailed) as failed:
        lines.replay()
    assert all(change in str(failed.value) for change in changes)
    assert failed.value.command == f"tradewinds extract {' '.join(WORDS)}"
    assert landed_state(lines) == before


def test_a_sample_and_a_real_file_are_not_mixed(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCES__ORDER_DETAILS__PATH")
    sample = lines.home.sources / "order_details.csv"
    sample.parent.mkdir(parents=True)
    sample.write_text(f"{HEADER}\n{GOOD}\n{BAD}\n")
    assert lines.extract().is_sample
    lines.write(GOOD, "1,1,1,1,1")
    monkeypatch.setenv("SOURCES__ORDER_DETAILS__PATH", str(lines.path))
    with pytest.raises(StepFailed, match="the source was the generated sample and is a real one"):
        lines.replay()


def test_rows_are_added_once_wherever_they_are_now(lines: Lines) -> None:
    lines.write(GOOD, GOOD, BAD, BAD)
    first = lines.extract()
    lines.write("1,1,1,1,1", GOOD, BAD, GOOD)
    assert lines.replay() == 1
    after = landed_state(lines)
    assert lines.replay() == 0
    assert landed_state(lines) == after
    manifest = lines.landing.manifest("order_details", DAY)
    assert (manifest.rows, manifest.rejected_rows) == (3, 1)
    assert manifest.last_run != first.last_run  # so raw is known to be behind
    assert lines.landing.faults("order_details", DAY, read_files=True) == []
    assert set(Path(lines.landing.location()).rglob("*.parquet")) == {
        Path(lines.landing.location(file.path)) for file in manifest.files
    }


def start_patched(sandbox: Sandbox, patch: str) -> subprocess.Popen[str]:
    """Start a replay that kills itself (`die`) or is paused (`pause`) where the patch says."""
    script = (
        "import os, signal, sys\n"
        "def die(*arguments, **options): os.kill(os.getpid(), signal.SIGKILL)\n"
        "def pause(*arguments, **options): os.kill(os.getpid(), signal.SIGSTOP)\n"
        f"{patch}\n"
        "from pipeline.cli import main\n"
        f"sys.argv = ['tradewinds', 'rejects', 'replay', *{WORDS!r}]\n"
        "main()\n"
    )
    words = [sys.executable, "-c", script]
    return subprocess.Popen(words, cwd=PROJECT, env=sandbox.environment, stderr=subprocess.PIPE, text=True)


def run_killed(sandbox: Sandbox, patch: str) -> None:
    """Run a replay that kills itself (`die`) where the patch says."""
    killed = start_patched(sandbox, patch)
    _, errors = killed.communicate()
    assert killed.returncode == -signal.SIGKILL, errors


def test_a_replay_killed_before_its_commit_leaves_the_old_day(lines_sandbox: Sandbox) -> None:
    write_lines(lines_sandbox, GOOD, BAD)
    lines_sandbox.succeed("extract", *WORDS)
    before = landed_state(lines_sandbox)
    write_lines(lines_sandbox, GOOD, "1,1,1,1,1")
    run_killed(lines_sandbox, "import ingestion.extract as module; module.Extraction.land_rejects = die")
    run_killed(lines_sandbox, "import ingestion.landing as module; module.Landing.commit = die")
    after = landed_state(lines_sandbox)
    assert {path: after[path] for path in before} == before
    assert len(after) > len(before)
    lines_sandbox.succeed("load", *WORDS)
    assert lines_sandbox.query("select count(*) from raw_northwind.order_details") == [(1,)]
    # The others haven't landed, so the day can't go on; the rows are in, and the leftovers gone.
    done = lines_sandbox.run("rejects", "replay", *WORDS)
    assert "order_details: 1 rows added, 0 still rejected" in done.stdout
    assert done.returncode == 3
    assert "northwind has not landed" in done.stderr
    manifest = lines_sandbox.manifest("order_details", DAY)
    assert manifest["tables"]["order_details"]["rows"] == 2
    assert len(list((lines_sandbox.home / "landing").rglob("*.parquet"))) == 1


def test_a_replay_killed_while_it_reads_leaves_the_old_day_and_frees_it(lines_sandbox: Sandbox) -> None:
    write_lines(lines_sandbox, GOOD, BAD)
    lines_sandbox.succeed("extract", *WORDS)
    before = landed_state(lines_sandbox)
    replay = start_patched(lines_sandbox, "import ingestion.sources.csv_lines as module; module.open_bytes = pause")
    _, state = os.waitpid(replay.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(state), replay.communicate()
    line = lines_sandbox.fail(1, "rejects", "replay", *WORDS)
    assert "another process is extracting order_details for this day" in line
    replay.kill()
    replay.communicate()
    assert landed_state(lines_sandbox) == before
    assert "none of the 1 rejected rows" in lines_sandbox.succeed("rejects", "replay", *WORDS)
    assert landed_state(lines_sandbox) == before


def test_rows_that_are_good_now_reach_the_marts_once(built: Sandbox, tmp_path: Path) -> None:
    lines = built.order_details.read_text().splitlines()
    damaged = list(lines)
    for number in (10, 20):
        damaged[number - 1] += ",9"

    def count() -> tuple[int, int, int]:
        """Order lines in the manifest, in raw and published."""
        return (
            built.manifest("order_details", DAY)["tables"]["order_details"]["rows"],
            built.query("select count(*) from raw_northwind.order_details")[0][0],
            built.published("select count(*) from sales.fct_order_lines")[0][0],
        )

    built.order_details.write_text("\n".join(damaged) + "\n")
    built.succeed("extract", *WORDS)
    built.succeed("load", *WORDS)
    total = len(lines) - 1
    assert count() == (total - 2, total - 2, total)
    replay = ["rejects", "replay", *WORDS]

    # One line is mended in place; the first replay is killed when it has landed it.
    damaged[9] = lines[9]
    built.order_details.write_text("\n".join(damaged) + "\n")
    run_killed(built, "import pipeline.run.rejects as module; module.run_day = die")
    assert count() == (total - 1, total - 2, total)
    assert "none of the 1 rejected rows of order_details is good now" in built.succeed(*replay)
    assert count() == (total - 1,) * 3
    built.succeed("status", "--run-date", DAY)

    # The other one in a copy, which may not differ in anything else.
    mended = tmp_path / "mended.csv"
    mended.write_text("\n".join([*lines[:-1], lines[-1].replace(",", ",1", 1)]) + "\n")
    line = built.fail(1, *replay, "--from", str(mended))
    assert f"lacks 1 of the {total - 1:,} landed rows" in line
    built.succeed("status", "--run-date", DAY)
    mended.write_text("\n".join(lines) + "\n")
    output = built.succeed(*replay, "--from", str(mended))
    assert "order_details: 1 rows added, 0 still rejected" in output
    assert count() == (total,) * 3
    assert rejected_lines(built) == []
    built.succeed("status", "--run-date", DAY)
    extract = json.loads((built.home / "runs" / DAY / "extract.json").read_text())["sources"]["order_details"]
    assert (extract["rows"], extract["rejected_rows"], extract["state"]) == (total, 0, "done")

    published = (built.home / "published" / "tradewinds.duckdb").stat().st_mtime_ns
    before = landed_state(built)
    assert "order_details has no rejected rows" in built.succeed(*replay, "--from", str(mended))
    assert landed_state(built) == before
    assert (built.home / "published" / "tradewinds.duckdb").stat().st_mtime_ns == published
    assert count() == (total,) * 3
