"""A run fills an empty people database with the sample, and leaves any other alone."""

import csv
from collections import Counter
from pathlib import Path

import psycopg

from ingestion.embedded.postgres import EmbeddedPostgres
from tests.python.sandbox import Sandbox

DAY = "2021-01-01"
FILES = {
    "departments": "1,Harbour\n2,Stables\n",
    "jobs": "1,Groom\n",
    "employees": "7,Ada,2021-02-03T04:05:06Z,1,1\n8,,2021-02-03T04:05:06Z,1,1\n9,Bo,2021-11-03T04:05:06Z,2,1\n",
}


def _write(folder: Path) -> dict[str, Path]:
    folder.mkdir()
    for table, text in FILES.items():
        (folder / f"{table}.csv").write_text(text)
    return {table: folder / f"{table}.csv" for table in FILES}


def _import(sandbox: Sandbox, files: dict[str, Path]) -> str:
    return sandbox.succeed(
        "people", "import", *(word for table, file in files.items() for word in (f"--{table}", file))
    )


def _stored(sandbox: Sandbox) -> dict[str, list[tuple]]:
    server = EmbeddedPostgres(sandbox.home)
    with server.running(), psycopg.connect(server.url("people")) as connection:
        tables = (*FILES, "rejected_rows", "imports")
        return {table: connection.execute(f"select * from {table} order by 1").fetchall() for table in tables}


def _extract(sandbox: Sandbox) -> dict:
    sandbox.succeed("extract", "--source", "people", "--run-date", DAY)
    return sandbox.manifest("people", DAY)


def test_an_import_starts_the_database_and_a_run_adds_nothing_to_it(bare_sandbox: Sandbox, tmp_path: Path) -> None:
    said = _import(bare_sandbox, _write(tmp_path / "own"))
    assert "2 accepted (2 new), 1 rejected" in said
    before = _stored(bare_sandbox)
    manifest = _extract(bare_sandbox)
    assert _stored(bare_sandbox) == before
    assert not manifest["is_sample"]
    assert {name: table["rows"] for name, table in manifest["tables"].items()} == {
        "departments": 2,
        "employees": 2,
        "jobs": 1,
        "rejected_rows": 1,
    }
    assert not EmbeddedPostgres(bare_sandbox.home).is_running()


def test_the_sample_is_taken_in_once_and_makes_room_for_own_files(bare_sandbox: Sandbox, tmp_path: Path) -> None:
    assert _extract(bare_sandbox)["is_sample"]
    sample = _stored(bare_sandbox)
    lines = {}
    for table in FILES:
        with (bare_sandbox.home / "sources" / "people" / f"{table}.csv").open() as file:
            lines[table] = sum(1 for _ in csv.reader(file))
    rejected = Counter(row[2] for row in sample["rejected_rows"])
    assert {table: len(sample[table]) + rejected[table] for table in FILES} == lines
    assert rejected["employees"] > 0
    _extract(bare_sandbox)
    assert _stored(bare_sandbox) == sample

    bare_sandbox.succeed("sources", "sample", "--scale", "2")
    assert _extract(bare_sandbox)["tables"]["employees"]["rows"] > 1.9 * len(sample["employees"])

    assert "the generated sample made room" in _import(bare_sandbox, _write(tmp_path / "own"))
    assert not _extract(bare_sandbox)["is_sample"]
    assert [row[:2] for row in _stored(bare_sandbox)["employees"]] == [(7, "Ada"), (9, "Bo")]


def test_a_configured_database_is_never_given_the_sample(bare_sandbox: Sandbox, new_database) -> None:
    database = new_database()
    bare_sandbox.settings["PEOPLE_DATABASE_URL"] = database.url
    line = bare_sandbox.fail(1, "extract", "--source", "people", "--run-date", DAY)
    assert line.endswith("run: tradewinds people migrate")
    bare_sandbox.succeed("people", "migrate")
    manifest = _extract(bare_sandbox)
    assert not manifest["is_sample"]
    assert sum(table["rows"] for table in manifest["tables"].values()) == 0
    assert database.query("select count(*) from employees") == [(0,)]
