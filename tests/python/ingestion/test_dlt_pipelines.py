"""What a dlt user finds: each raw schema as a pipeline in the home, and each load in dlt's own table."""

import subprocess

from ingestion.settings import PROJECT
from tests.python.sandbox import Sandbox


def test_dlt_shows_a_raw_schema_with_its_tables_and_columns(shared_built: Sandbox) -> None:
    words = ["-v", "pipeline", "--pipelines-dir", shared_built.home / "dlt" / "duckdb"]
    done = subprocess.run(
        [PROJECT / ".venv" / "bin" / "dlt", *words, "raw_northwind__versions", "info"],
        capture_output=True,
        text=True,
        check=True,
    )
    held = shared_built.query(
        "select table_name, count(*) from information_schema.columns "
        "where table_schema = 'raw_northwind__versions' and not starts_with(table_name, '_dlt') group by table_name"
    )
    shown = [line.strip() for line in done.stdout.splitlines() if line.startswith("\t")]
    assert sorted(shown) == sorted(f"{table} table {columns} column(s) received data" for table, columns in held)


def test_a_day_is_one_load_in_each_raw_schema(shared_built: Sandbox) -> None:
    schemas = [f"raw_{name}__versions" for name in ("northwind", "marketplace", "people", "community")]
    of_each = [
        shared_built.query(
            f"select load_id, status, schema_name from {schema}._dlt_loads "
            f"join {schema}._dlt_version using (schema_name) where version_hash = schema_version_hash"
        )
        for schema in schemas
    ]
    assert [rows for rows in of_each if len(rows) != 1] == []
    assert [schema for ((_, _, schema),) in of_each] == schemas
    assert {status for ((_, status, _),) in of_each} == {0}
    assert len({load_id for ((load_id, _, _),) in of_each}) == 1
