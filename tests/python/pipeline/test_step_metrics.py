"""`runs/metrics.prom` has the last outcome of every step."""

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from prometheus_client.parser import text_string_to_metric_families

from ingestion.settings import Home
from pipeline.ledger import STEPS, Ledger
from pipeline.ledger.metrics import FILE_NAME
from tests.python.sandbox import Sandbox

FIRST, SECOND = "2021-01-01", "2021-01-02"
SOURCES = ("northwind", "order_details", "event_log", "people", "community")
BAD_LINES = ("10248,eleven,14.00,12,0", "10248,11,14.00", "not,a,line,at,all,at,all")


class Metrics:
    """The metrics of a home as a scrape would read them."""

    def __init__(self, home: Path):
        self.text = (home / "runs" / FILE_NAME).read_text()
        families = list(text_string_to_metric_families(self.text))
        assert all(family.type == "gauge" and family.documentation for family in families)
        self.samples = {
            (sample.name, *(sample.labels[label] for label in ("step", "source", "target"))): sample.value
            for family in families
            for sample in family.samples
        }

    def of(self, step: str, source: str = "") -> Callable[[str], float | None]:
        """Return what looks a step's metric up by the end of its name."""
        target = "" if source else "duckdb"
        return lambda name: self.samples.get((f"tradewinds_step_{name}", step, source, target))


def _midnight(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


def _spoil(path: Path) -> str:
    """Put another header on a file; return what it was."""
    text = path.read_text(encoding="utf-8")
    path.write_text("these,are,other,columns,here\n" + text.partition("\n")[2], encoding="utf-8")
    return text


def test_every_step_of_a_day_tells_what_it_did(built: Sandbox) -> None:
    began, ended = ((built.order_details.parent / mark).stat().st_mtime for mark in ("began", "ended"))
    metrics = Metrics(built.home)
    series = [("extract", source) for source in SOURCES] + [(step, "") for step in STEPS if step != "extract"]
    spent = 0
    for step, source in series:
        value = metrics.of(step, source)
        assert (value("failed"), value("running"), value("exit_code"), value("unfinished_days")) == (0, 0, 0, 0), step
        assert value("run_date_timestamp_seconds") == _midnight(FIRST)
        assert began - 0.01 <= value("started_timestamp_seconds") <= value("last_success_timestamp_seconds") <= ended
        spent += value("duration_seconds")
    assert 0 < spent <= ended - began
    manifests = {source: built.manifest(source, FIRST)["tables"].values() for source in SOURCES}
    for source, tables in manifests.items():
        assert metrics.of("extract", source)("rows") == sum(table["rows"] for table in tables) > 0
    assert metrics.of("load")("rows") == sum(table["rows"] for tables in manifests.values() for table in tables)
    marts = built.published("select schema_name, table_name from duckdb_tables() where schema_name <> 'main'")
    counts = [built.published(f"select count(*) from {'.'.join(mart)}")[0][0] for mart in marts]
    assert metrics.of("publish")("rows") == sum(counts)

    with built.order_details.open("a") as file:
        file.writelines(line + "\n" for line in BAD_LINES)
    built.succeed("extract", "--source", "order_details", "--run-date", FIRST)
    metrics = Metrics(built.home)
    assert metrics.of("extract", "order_details")("rejected_rows") == len(BAD_LINES)
    assert metrics.of("extract", "northwind")("rejected_rows") == 0
    _check_failures(built, metrics)
    _check_a_kill(built)


def _check_failures(sandbox: Sandbox, good: Metrics) -> None:
    """A failure shows, and what went well before it stays known; a rerun puts it right."""
    extract = ("extract", "--source", "order_details", "--run-date")
    last_success = good.of("extract", "order_details")("last_success_timestamp_seconds")
    text = _spoil(sandbox.order_details)
    for number, day in enumerate((SECOND, FIRST), start=1):  # a day of its own, then the day that had gone well
        sandbox.fail(1, *extract, day)
        value = Metrics(sandbox.home).of("extract", "order_details")
        assert (value("failed"), value("exit_code"), value("unfinished_days")) == (1, 1, number)
        assert value("run_date_timestamp_seconds") == _midnight(day)
        assert value("last_success_timestamp_seconds") == last_success
        assert value("rows") is None
    sandbox.fail(3, "load", "--run-date", SECOND)
    value = Metrics(sandbox.home).of("load")
    assert (value("failed"), value("exit_code")) == (1, 3)
    assert value("last_success_timestamp_seconds") == good.of("load")("last_success_timestamp_seconds")

    sandbox.order_details.write_text(text)
    for day, left in ((SECOND, 1), (FIRST, 0)):
        sandbox.succeed(*extract, day)
        value = Metrics(sandbox.home).of("extract", "order_details")
        assert (value("failed"), value("exit_code"), value("unfinished_days")) == (0, 0, left)
        assert value("last_success_timestamp_seconds") > last_success
        assert value("rows") == good.of("extract", "order_details")("rows")
    before = Metrics(sandbox.home).text
    sandbox.fail(2, *extract, FIRST, "--table", "nowhere")
    assert Metrics(sandbox.home).text == before


def _check_a_kill(sandbox: Sandbox) -> None:
    """A step that is killed was running, and has failed as soon as any other step has been done."""
    with psycopg.connect(sandbox.northwind.url) as connection:
        connection.execute("lock table orders in access exclusive mode")
        process = sandbox.start("extract", "--source", "northwind", "--run-date", FIRST)
        deadline = time.monotonic() + 120
        while not (value := Metrics(sandbox.home).of("extract", "northwind"))("running"):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert (value("failed"), value("rows"), value("duration_seconds")) == (None, None, None)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    sandbox.succeed("extract", "--source", "order_details", "--run-date", FIRST)
    killed = Metrics(sandbox.home).of("extract", "northwind")
    assert (killed("running"), killed("failed"), killed("unfinished_days")) == (0, 1, 1)
    assert killed("last_success_timestamp_seconds") == value("last_success_timestamp_seconds") is not None


def test_a_ledger_sees_what_another_process_has_written_meanwhile(tmp_path: Path) -> None:
    ours, theirs = Ledger(Home(tmp_path)), Ledger(Home(tmp_path))
    for ledger, rows in ((ours, 1), (theirs, 2), (ours, 3)):
        with ledger.recording(FIRST, "load", "tradewinds load", "duckdb") as record:
            record.rows = rows
        assert [entry["row_count"] for entry in ours.entries()] == [rows]
        os.utime(tmp_path / "runs" / FIRST, (0, rows))  # as long ago as it takes to be kept in memory
        assert ours.entries() == ours.entries() == theirs.entries()


def test_metrics_that_cannot_be_written_are_a_warning(sandbox: Sandbox) -> None:
    (sandbox.home / "runs" / FILE_NAME).mkdir(parents=True)
    output = sandbox.succeed("extract", "--source", "order_details", "--run-date", FIRST)
    assert "warning  the metrics can't be written" in output
    assert sandbox.manifest("order_details", FIRST)["source"] == "order_details"
