"""Bad input ends as one clear line, the right exit code, and nothing half-written."""

from pathlib import Path

import duckdb
import pytest

from tests.python.sandbox import Sandbox

DAY = "2021-01-01"


@pytest.mark.parametrize("bad", ["2021-13-01", "20210101", "../../x", "2021-1-1", "2021-02-30", "", "2021-01-01 "])
@pytest.mark.parametrize("step", ["run", "publish"])
def test_a_run_date_that_is_no_day_is_a_wrong_request(bare_sandbox: Sandbox, step: str, bad: str) -> None:
    line = bare_sandbox.fail(2, step, "--run-date", bad)
    assert repr(bad) in line
    assert "YYYY-MM-DD" in line
    assert not bare_sandbox.home.exists()


@pytest.mark.parametrize(
    "bad", ["2021-01-01", "10:30", "2021-01-01T10:30:00", "2021-01-01T25:00:00Z", "0001-01-01T00:00+01:00", ""]
)
def test_a_run_time_that_is_none_is_a_wrong_request(bare_sandbox: Sandbox, bad: str) -> None:
    line = bare_sandbox.fail(2, "run", "--run-at", bad)
    assert f"{bad!r} is not a time" in line
    assert not bare_sandbox.home.exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["extract", "--source", "nowhere"], "unknown source 'nowhere'"),
        (["load", "--source", "../x"], "unknown source '../x'"),
        (["build", "--target", "oracle"], "unknown target 'oracle'"),
        (["extract", "--table", "orders"], "--table needs the one --source"),
        (["backfill", "--from", "2021-01-02", "--to", "2021-01-01"], "--from 2021-01-02 is after --to 2021-01-01"),
        (["backfill", "--from", "2021-01-02"], "Missing option '--to'"),
        (["run", "--nonsense"], "No such option"),
        (["nonsense"], "No such command"),
        (["sources", "sample", "--scale", "0"], "--scale"),
    ],
)
def test_a_request_for_what_does_not_exist_is_refused(bare_sandbox: Sandbox, words: list[str], reason: str) -> None:
    assert reason in bare_sandbox.fail(2, *words)
    assert not bare_sandbox.home.exists()


def test_an_unknown_table_leaves_the_landed_day_good(built: Sandbox) -> None:
    line = built.fail(2, "extract", "--run-date", DAY, "--source", "northwind", "--table", "nope")
    assert "northwind has no table nope" in line
    built.succeed("load", "--run-date", DAY)


@pytest.mark.parametrize(
    "url", ["not a url", "mysql://u:pw@h/db", "postgresql://u:hunter2@h", "postgresql://u:hunter2@h:port/d"]
)
def test_a_setting_that_cannot_be_read_is_a_wrong_request(bare_sandbox: Sandbox, url: str) -> None:
    bare_sandbox.settings["SOURCES__NORTHWIND__CREDENTIALS"] = url
    line = bare_sandbox.fail(2, "extract", "--run-date", DAY)
    assert "SOURCES__NORTHWIND__CREDENTIALS can't be read" in line
    assert "hunter2" not in line


def test_an_unreachable_database_is_one_line_without_the_password(bare_sandbox: Sandbox) -> None:
    bare_sandbox.settings["SOURCES__NORTHWIND__CREDENTIALS"] = "postgresql://trader:hunter2%40x@127.0.0.1:1/northwind"
    done = bare_sandbox.run("extract", "--run-date", DAY, "--source", "northwind")
    assert done.returncode == 1
    assert done.stderr.startswith(f"tradewinds: extract {DAY} failed: northwind: the database can't be reached")
    assert f"run: tradewinds extract --run-date {DAY} --source northwind" in done.stderr
    written = [path.read_text(errors="replace") for path in bare_sandbox.home.rglob("*") if path.is_file()]
    assert not any("hunter2" in text for text in [done.stdout, done.stderr, *written])
    assert not list((bare_sandbox.home / "landing").rglob("*.parquet"))


def test_a_wrong_header_fails_and_lands_nothing(bare_sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox, lines = bare_sandbox, tmp_path / "order_details.csv"
    sandbox.settings["SOURCES__ORDER_DETAILS__PATH"] = str(lines)
    lines.write_text("order_id,product_id,unit_price,quantity\n1,2,3,4\n")
    line = sandbox.fail(1, "extract", "--run-date", DAY, "--source", "order_details")
    assert "has the wrong header" in line
    assert "expected order_id,product_id,unit_price,quantity,discount" in line
    assert not list((sandbox.home / "landing").rglob("*.parquet"))
    assert not (sandbox.home / "landing" / "_manifests" / "order_details" / f"{DAY}.json").exists()


def test_ragged_lines_are_kept_as_rejects_and_the_day_goes_on(bare_sandbox: Sandbox, order_details: Path) -> None:
    sandbox = bare_sandbox
    sandbox.settings["SOURCES__ORDER_DETAILS__PATH"] = str(order_details)
    bad = {"10248,11,14": 40, "10248,11,14,12,0,9": 900, "x,11,14,12,0": 1500, '10248,"11,14,12,0': 1501}
    lines = order_details.read_text(encoding="utf-8").splitlines()
    for text, number in bad.items():
        lines.insert(number - 1, text)
    order_details.write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ["--run-date", DAY, "--source", "order_details"]
    output = sandbox.succeed("extract", *words)
    assert "order_details rejects" in output
    table = sandbox.manifest("order_details", DAY)["tables"]["order_details"]
    assert (table["rows"], table["rejected_rows"]) == (2155, 4)
    assert table["rows"] + table["rejected_rows"] == len(lines) - 1
    files = sandbox.home / "landing" / "_rejects" / "order_details" / f"run_date={DAY}"
    found = duckdb.execute(
        'select line_number, raw_text, file, "table", source, run_date::varchar from read_parquet(?) order by 1',
        [str(files / "*.parquet")],
    ).fetchall()
    expected = [(number, text) for text, number in sorted(bad.items(), key=lambda item: item[1])]
    assert [row[:2] for row in found] == expected
    assert {row[2:] for row in found} == {("order_details.csv", "order_details", "order_details", DAY)}
    sandbox.succeed("load", *words)
    assert sandbox.query("select count(*) from raw_northwind.order_details") == [(2155,)]


def test_drift_stops_the_extract_until_it_is_accepted(built: Sandbox) -> None:
    built.northwind.execute("alter table shippers add column is_green boolean")
    built.northwind.execute("update shippers set is_green = true")
    for step in ("extract", "load"):
        built.succeed(step, "--run-date", "2021-01-02", "--source", "northwind")
    found = built.query(
        "select _run_date::varchar, is_green, count(*) from raw_northwind.shippers group by all order by 1"
    )
    assert found == [(DAY, None, 6), ("2021-01-02", True, 6)]
    built.northwind.execute("alter table shippers alter column is_green type text")
    built.northwind.execute("alter table shippers drop column phone")
    words = ["--run-date", "2021-01-03", "--source", "northwind"]
    line = built.fail(1, "extract", *words)
    assert "shippers.phone: string → gone" in line
    assert "shippers.is_green: bool → string" in line
    assert "--accept-drift" in line
    built.succeed("extract", *words, "--accept-drift")


def test_each_source_that_fails_has_a_line(bare_sandbox: Sandbox, tmp_path: Path) -> None:
    lines = tmp_path / "lines.csv"
    lines.write_text("a,b\n")
    bare_sandbox.settings |= {
        "SOURCES__ORDER_DETAILS__PATH": str(lines),
        "SOURCES__EVENT_LOG__PATH": str(tmp_path / "gone.csv"),
    }
    both = "--source order_details --source event_log"
    head, first, second, command = bare_sandbox.fail(1, "extract", "--run-date", DAY, *both.split()).splitlines()
    assert head == f"tradewinds: extract {DAY} failed for 2 sources"
    assert first.startswith(f"  order_details: {lines} has the wrong header: ")
    assert second == f"  event_log: {tmp_path / 'gone.csv'} can't be read: No such file or directory"
    assert command == f"  run: tradewinds extract --run-date {DAY} {both}"


def test_landing_outside_a_folder_is_refused(bare_sandbox: Sandbox, tmp_path: Path) -> None:
    bare_sandbox.settings["TRADEWINDS_LANDING_URL"] = "ftp://somewhere/x"
    assert "TRADEWINDS_LANDING_URL" in bare_sandbox.fail(2, "extract", "--run-date", DAY)
    bare_sandbox.settings["TRADEWINDS_LANDING_URL"] = (tmp_path / "elsewhere").as_uri()
    assert "has not landed" in bare_sandbox.fail(3, "load", "--run-date", DAY)
