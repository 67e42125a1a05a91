"""`tradewinds query`: exact answers, and access to nothing but the published file."""

import csv
import io
import json
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipeline.cli import main

_ROWS = """
select * from (values
    (1, 12345678901234567890.1234::decimal(24, 4), date '2021-01-02', '=1+1', true, null),
    (2, -0.0000000001::decimal(24, 10)::decimal(24, 4), null, 'plain', false, 'x')
) as found (order_id, amount, shipped_date, note, is_late, gap)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that holds nothing but a small published file."""
    published = tmp_path / "published" / "tradewinds.duckdb"
    published.parent.mkdir()
    with duckdb.connect(str(published)) as connection:
        connection.execute("create schema sales")
        connection.execute(f"create table sales.odd as {_ROWS}")
        connection.execute("create table sales.many as select range as n from range(50)")
    monkeypatch.setenv("TRADEWINDS_HOME", str(tmp_path))
    return tmp_path


def _run(monkeypatch: pytest.MonkeyPatch, *words: str, typed: str = "") -> int:
    monkeypatch.setattr(sys, "argv", ["tradewinds", *words])
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_json_keeps_every_digit_and_every_gap(home: Path, monkeypatch, capsys) -> None:
    assert _run(monkeypatch, "query", "from sales.odd order by order_id", "--format", "json") == 0
    first, second = json.loads(capsys.readouterr().out, parse_float=Decimal)
    assert first == {
        "order_id": 1,
        "amount": Decimal("12345678901234567890.1234"),
        "shipped_date": "2021-01-02",
        "note": "=1+1",
        "is_late": True,
        "gap": None,
    }
    assert (second["amount"], second["shipped_date"]) == (Decimal(0), None)


def test_csv_has_no_formula_and_no_exponent(home: Path, monkeypatch, capsys) -> None:
    query = 'select order_id, -order_id as minus, 0::decimal(30, 12) as zero, note as "=note" from sales.odd order by 1'
    assert _run(monkeypatch, "query", query, "--format", "csv") == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [
        ["order_id", "minus", "zero", "'=note"],
        ["1", "-1", "0.000000000000", "'=1+1"],
        ["2", "-2", "0.000000000000", "plain"],
    ]


def test_a_query_comes_from_standard_input_and_a_table_has_twenty_rows(home: Path, monkeypatch, capsys) -> None:
    assert _run(monkeypatch, "query", "-", typed="select n from sales.many order by n;\n") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.strip() for line in lines[:21]] == ["n", *map(str, range(20))]
    assert lines[21].startswith("and 30 more")
    assert _run(monkeypatch, "query", "from sales.many", "--format", "csv", "--limit", "3") == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


@pytest.mark.parametrize(
    ("statement", "exit_code", "reason"),
    [
        ("select 1; select 2", 2, "one query"),
        ("insert into sales.many values (1)", 2, "one query"),
        ("create temp table mine as select 1", 2, "one query"),
        ("load parquet", 2, "one query"),
        ("set lock_configuration = false", 2, "one query"),
        ("copy sales.many to '{home}/out.csv'", 2, "one query"),
        ("attach '{home}/secret.duckdb' as other", 2, "one query"),
        ("/* nothing */", 2, "one query"),
        ("  ", 2, "empty query"),
        ("select '{home}/secret.txt' as path, * from read_text(path)", 2, "can't be answered"),
        ("from read_text('{home}/secret.txt')", 2, "disabled"),
        ("from '{home}/secret.csv'", 2, "disabled"),
        ("from sys_path", 2, "does not exist"),
        ("select nope from sales.many", 2, '"nope" not found'),
        ("selec 1", 2, "syntax error"),
        ("select note::integer from sales.odd", 1, "Could not convert"),
        ("select 1 as one, 2 as one", 2, "one comes twice"),
    ],
)
def test_what_is_no_question_ends_as_one_line(home, monkeypatch, capsys, statement, exit_code, reason) -> None:
    for name in ("secret.txt", "secret.csv"):
        (home / name).write_text("kept")
    before = (home / "published" / "tradewinds.duckdb").read_bytes()
    words = ["query", statement.format(home=home), "--format", "json"]
    assert _run(monkeypatch, *words) == exit_code
    said = capsys.readouterr()
    assert reason in said.err
    assert len(said.err.splitlines()) == 1
    assert "LINE 1" not in said.err
    assert "kept" not in said.out + said.err
    assert not (home / "out.csv").exists()
    assert (home / "published" / "tradewinds.duckdb").read_bytes() == before


def test_a_variable_of_the_program_is_no_table(home: Path, monkeypatch, capsys) -> None:
    # DuckDB looks names up in its caller's frames, where the statement itself is one.
    assert _run(monkeypatch, "query", "from statement") == 2
    assert "does not exist" in capsys.readouterr().err


def test_before_the_first_publish_the_command_is_named(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("TRADEWINDS_HOME", str(tmp_path))
    for words in (["query", "select 1"], ["answer"]):
        assert _run(monkeypatch, *words) == 3
        assert capsys.readouterr().err == "tradewinds: nothing is published yet; run: tradewinds run\n"
