"""A day as dlt does it unasked: its database and file sources into DuckDB, row by row; then one query, as CSV and JSON.

Run: dlt_defaults.py <source url> <order_details.csv> <folder> <day>
"""

import sys
from pathlib import Path

import dlt
import duckdb
from dlt.sources.filesystem import filesystem, read_csv
from dlt.sources.sql_database import sql_database

QUERY = Path(__file__).with_name("orders_with_details.sql")


def main(source: str, details: str, folder: str, day: str) -> None:
    database = Path(folder) / "northwind.duckdb"
    pipeline = dlt.pipeline(
        "northwind",
        pipelines_dir=str(Path(folder) / "pipelines"),
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name="raw",
    )
    path = Path(details)
    lines = filesystem(bucket_url=path.parent.as_uri(), file_glob=path.name) | read_csv()
    tables = sql_database(source.replace("postgresql://", "postgresql+psycopg://", 1))
    pipeline.run([tables, lines.with_name("order_details")], write_disposition="replace")
    with duckdb.connect(str(database)) as connection:
        connection.execute("use raw")
        connection.execute(f"create or replace table orders_with_details as {QUERY.read_text()}")
        for format_, options in (("csv", "format csv, header"), ("json", "format json, array true")):
            target = Path(folder) / f"orders_with_details-{day}.{format_}"
            connection.execute(f"copy orders_with_details to '{target}' ({options})")


if __name__ == "__main__":
    main(*sys.argv[1:])
