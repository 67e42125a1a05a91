"""What a person sees in a terminal of any width: nothing cut that matters, colour for verdicts, the way on last."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ingestion.errors import Refused, StepFailed
from pipeline.cli import main
from pipeline.cli.failures import print_failure
from pipeline.cli.tables import print_table
from pipeline.dbt.project import published_marts
from pipeline.run.reporter import Reporter
from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY as DAY
from tests.python.sandbox import COMMAND, Sandbox

_COLUMNS = ("order_id", "ordered_date", "company_name", "net_amount_usd", "is_late")
_ROWS = [
    (10248, date(1996, 7, 4), "Vins et alcools Chevalier", Decimal("440.0000"), False),
    (11, date(1996, 7, 5), "x", Decimal("12345678901234567890.1234"), None),
    (None, None, "[red]no markup[/red]", None, True),
]
_CODE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_COLOUR = re.compile(r"\x1b\[[0-9;]*\b3[1-6]m")
_WHOLE = {*_COLUMNS, "10248", "1996-07-04", "440.0000", "12345678901234567890.1234", "Chevalier", "[red]no"}


@pytest.mark.unit
@pytest.mark.parametrize("width", [24, 60, 79, 80, 92, 120, 1000])
def test_a_table_cuts_no_name_no_number_and_no_date(width: int) -> None:
    console = Console(file=StringIO(), width=width)
    print_table(_ROWS, _COLUMNS, console)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    if lines[0].startswith("row 1"):  # one field a line
        assert len(_COLUMNS) * len(_ROWS) + len(_ROWS) <= len(lines)
        assert width < 90
    else:
        assert lines[0].split() == list(_COLUMNS)
        # Numbers end where their column's name does.
        for number, name in (("10248", "order_id"), ("12345678901234567890.1234", "net_amount_usd")):
            (line,) = [line for line in lines if number in line]
            assert line.index(number) + len(number) == lines[0].index(name) + len(name)
    if width > 40:
        assert set(" ".join(lines).split()) >= _WHOLE


@pytest.fixture
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every stream be taken for a terminal of 80 columns."""
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "80", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)


_FINDINGS = [f"rule_{number} on sales.fct_orders: {'a sentence ' * 20}" for number in range(12)]
_MANY = StepFailed.of("expectations are not met", _FINDINGS, "tradewinds check", hint="add --x", page="/p/index.html")
_ONE = Refused("load 2021-01-01 refused: northwind has not landed", "tradewinds extract --run-date 2021-01-01")
_LONG = StepFailed("build 2021-01-01 failed:" + " a test" * 20, "tradewinds build --run-date 2021-01-01")


@pytest.mark.unit
def test_a_script_gets_a_finding_a_line_then_the_page_then_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    print_failure(_MANY)
    head, *findings, more, hint, page, command = capsys.readouterr().err.splitlines()
    assert head == "tradewinds: 12 expectations are not met"
    assert findings == [f"  {finding.strip()}" for finding in _FINDINGS[:8]]
    assert (more, hint) == ("  and 4 more", "  add --x")
    assert (page, command) == ("  see: /p/index.html", "  run: tradewinds check")
    for failure in (_ONE, _LONG):
        print_failure(failure)
        line = " ".join(failure.reason.split())
        assert capsys.readouterr().err == f"tradewinds: {line}; run: {failure.command}\n"


@pytest.mark.unit
def test_a_terminal_shows_a_failure_on_one_screen(eighty_columns, capsys: pytest.CaptureFixture[str]) -> None:
    for failure in (_MANY, _ONE, _LONG):
        print_failure(failure)
        printed = capsys.readouterr().err
        assert _COLOUR.search(printed)
        lines = _CODE.sub("", printed).splitlines()
        assert max(map(len, lines)) <= 80
        assert len(lines) <= 23
        assert lines[-1] == f"  run: {failure.command}"


@pytest.mark.unit
def test_no_color_is_obeyed(
    eighty_columns, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("", "NO_COLOR"):
        monkeypatch.setenv(name or "X", "1")
        print_failure(_MANY)
        reporter = Reporter()
        reporter.line("check", "marts", None, 1.5, "50 met, 2 not met")
        reporter.warn("something")
        said = capsys.readouterr()
        assert bool(_COLOUR.search(said.err)) == bool(_COLOUR.search(said.out)) == (name != "NO_COLOR")
    assert "50 met, 2 not met" in _CODE.sub("", said.out)


@pytest.mark.unit
def test_a_finished_line_fits_the_terminal_and_is_one_in_a_log(eighty_columns, monkeypatch, capsys) -> None:
    note = "; ".join(f"amount_{number} 1.00 → 1,407,588.8660" for number in range(9))
    said = {}
    for place in ("terminal", "log"):
        Reporter().line("change", "sales.orders_with_details", None, None, note)
        Reporter().line("publish", "marts", 28_507, 0.57, "2021-01-01-0d7dd197357b")
        said[place] = _CODE.sub("", capsys.readouterr().out).splitlines()
        monkeypatch.delenv("FORCE_COLOR") if place == "terminal" else None
    assert max(map(len, said["terminal"])) <= 80
    assert " ".join(" ".join(said["terminal"]).split()) == " ".join(" ".join(said["log"]).split())
    assert len(said["log"]) == 2


def _type(columns: int, *words: str, **settings: str) -> str:
    """Run the command in a terminal so wide, and return what it shows."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    environment = kept | {"TERM": "xterm-256color"} | settings
    with subprocess.Popen([COMMAND, *words], env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # it has ended
                break
    os.close(ours)
    assert process.returncode == 0, shown.decode()
    return shown.decode()


@pytest.mark.e2e
def test_a_real_terminal_shows_a_wide_query_whole_and_how_far_a_build_is(built: Sandbox) -> None:
    home = {"TRADEWINDS_HOME": str(built.home)} | built.settings
    shown = _CODE.sub("", _type(80, "query", "from sales.orders_with_details order by 1, 12 limit 2", **home))
    (row, *_) = json.loads(
        built.succeed("query", "from sales.orders_with_details order by 1, 12 limit 1", "--format", "json")
    )
    fields = dict(re.findall(r"^(\w+) {2,}(.*?) *\r$", shown.partition("row 2")[0], re.MULTILINE))
    assert list(fields) == list(row)
    assert (fields["order_id"], fields["ordered_date"]) == (str(row["order_id"]), row["ordered_date"])
    assert max(len(line) for line in shown.splitlines()) <= 80

    shown = _type(80, "build", "--run-date", DAY, "--source", "event_log", **home)
    places = [(int(place), int(total)) for place, total in re.findall(r"build (\d+) of (\d+) ", shown)]
    assert places
    assert len({total for _, total in places}) == 1
    assert all(place <= total for place, total in places)
    assert _COLOUR.search(shown)


@pytest.mark.parametrize("target", ["duckdb", "postgres"])
def test_marts_lists_what_readers_can_query(built_homes: BuiltHomes, target: str) -> None:
    home, form = built_homes.original(target), ("--target", target, "--format", "json")
    listed = json.loads(home.succeed("marts", *form))
    assert sorted(mart["mart"] for mart in listed) == sorted(mart.relation for mart in published_marts())
    assert [mart for mart in listed if not mart["description"].startswith("One row per ")] == []
    columns = json.loads(home.succeed("marts", "sales.fct_orders", *form))
    assert json.loads(home.succeed("marts", "fct_orders", *form)) == columns
    row = json.loads(home.succeed("query", "select * from sales.fct_orders", *form, "--limit", "1"))[0]
    assert [column["column"] for column in columns] == list(row)
    assert columns[0] == {"column": "order_id", "type": "bigint", "description": "Number of the order in Northwind."}
    assert [column for column in columns if "{{" in column["description"] or not column["description"]] == []
    assert home.fail(2, "marts", "nope", *form[:2]).startswith("tradewinds: no published mart is called nope; run: ")


def test_a_publish_of_the_same_rows_changes_nothing(built: Sandbox) -> None:
    published = built.home / "published" / "tradewinds.duckdb"
    before = published.read_bytes()
    said = built.succeed("publish", "--run-date", DAY).splitlines()
    assert [line.split()[:2] for line in said if line.startswith("change")] == [["change", "none"]]
    assert published.read_bytes() == before
    assert json.loads((built.home / "runs" / DAY / "publish.json").read_text())["changes"] == {}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("words", "verb"),
    [
        ("status --bogus", "status"),
        ("people key create", "people key create"),
        ("check --stage x", "check"),
        ("query", "query"),
        ("bogus", ""),
        ("sources bogus", "sources"),
    ],
)
def test_a_mistyped_command_points_to_its_own_help(words: str, verb: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["tradewinds", *words.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"; run: tradewinds {verb + ' ' * bool(verb)}--help\n")


def test_an_empty_home_says_so(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("TRADEWINDS_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["tradewinds", "status"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out == "no day has run yet; run: tradewinds run\n"
