"""What DuckDB alone needs for the same work, each a process of its own: limits.py <name> <arguments>."""

import json
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb


def csv_to_parquet(csv: str, target: str) -> None:
    """Read a CSV file and write it as Parquet."""
    duckdb.execute(f"copy (from read_csv('{csv}')) to '{target}' (format parquet, compression zstd)")


def insert_parquet(landing: str, day: str, target: str) -> None:
    """Insert every table that has landed on a day into a new database."""
    Path(target).unlink(missing_ok=True)
    connection = duckdb.connect(target)
    for number, folder in enumerate(sorted(Path(landing).glob(f"[a-z]*/[a-z]*/run_date={day}"))):
        if list(folder.glob("*.parquet")):
            files = f"read_parquet('{folder}/*.parquet', hive_partitioning = false)"
            connection.execute(f"create table t{number} as from {files} limit 0")
            connection.execute(f"insert into t{number} from {files}")


def copy_tables(warehouse: str, target: str) -> None:
    """Copy the tables of all marts into a new database."""
    Path(target).unlink(missing_ok=True)
    connection = duckdb.connect(target)
    connection.execute(f"attach '{warehouse}' as warehouse (read_only)")
    marts = ("community", "marketplace", "ops", "people", "quarantine", "sales")
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'warehouse' and schema_name in ?",
        [marts],
    ).fetchall()
    for schema, table in tables:
        connection.execute(f'create schema if not exists "{schema}"')
        connection.execute(f'create table "{schema}"."{table}" as from warehouse."{schema}"."{table}"')


def write_exports(warehouse: str, folder: str) -> None:
    """Write the one mart of many rows that is exported, in order, as CSV and as JSON."""
    connection = duckdb.connect(warehouse, read_only=True)
    connection.execute("create temp table sorted as from sales.orders_with_details order by order_id, product_id")
    for name, options in (("lines.csv", "format csv, header"), ("lines.json", "format json, array true")):
        connection.execute(f"copy sorted to '{folder}/{name}' ({options})")


def prepare_sql(manifest: str, script: str) -> None:
    """Write what dbt made of a build's models and data tests as SQL statements, parents first."""
    nodes = json.loads(Path(manifest).read_text(encoding="utf-8"))["nodes"]
    wanted = {key: node for key, node in nodes.items() if node["resource_type"] in ("model", "test")}
    order = TopologicalSorter({key: [*filter(wanted.get, node["depends_on"]["nodes"])] for key, node in wanted.items()})
    statements = []
    for key in order.static_order():
        node = wanted[key]
        if node["resource_type"] == "test":
            statements.append(f"select count(*) from ({node['compiled_code']}\n)")
        else:
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            statements.append(f"create or replace {kind} {node['relation_name']} as {node['compiled_code']}")
    Path(script).write_text(json.dumps(statements), encoding="utf-8")


def run_sql(database: str, script: str) -> None:
    """Run the statements of `prepare_sql` in a copy of the built warehouse, named like it."""
    connection = duckdb.connect(database)
    connection.execute("set TimeZone = 'UTC'")
    for statement in json.loads(Path(script).read_text(encoding="utf-8")):
        connection.execute(statement).fetchall()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
