"""A day as pandas scripts do it: every table to a CSV file of the day, the files into Postgres, one query out again.

Run: pandas_steps.py <source url> <order_details.csv> <folder> <warehouse url> <day>
"""

import sys
from pathlib import Path

import pandas
from sqlalchemy import Engine, create_engine, inspect

QUERY = Path(__file__).with_name("orders_with_details.sql")


def connect(url: str) -> Engine:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))


def extract(source: Engine, details: str, folder: Path, day: str) -> dict[str, Path]:
    """Write every table of the source, and the order lines, as a CSV file each; return the files by table."""
    files = {}
    for table in inspect(source).get_table_names():
        files[table] = folder / "postgres" / table / day / f"{table}.csv"
        write(pandas.read_sql_table(table, source), files[table])
    files["order_details"] = folder / "csv" / day / "order_details.csv"
    write(pandas.read_csv(details), files["order_details"])
    return files


def write(frame: pandas.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False)


def main(source: str, details: str, folder: str, warehouse: str, day: str) -> None:
    files = extract(connect(source), details, Path(folder), day)
    engine = connect(warehouse)
    for table, path in files.items():
        pandas.read_csv(path).to_sql(table, engine, if_exists="replace", index=False)
    answer = pandas.read_sql_query(QUERY.read_text(), engine)
    answer.to_csv(Path(folder) / f"orders_with_details-{day}.csv", index=False)
    answer.to_json(Path(folder) / f"orders_with_details-{day}.json", orient="records")


if __name__ == "__main__":
    main(*sys.argv[1:])
