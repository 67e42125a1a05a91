"""Generate sample data in DuckDB: Northwind's exact schema, an event log, people, a community; a folder of SQL each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

from ingestion import adbc
from ingestion.errors import BadRequest, StepFailed

SQL_FOLDER = Path(__file__).parent
# Each folder's files in the order in which they are run.
GENERATORS = {
    "northwind": ("macros", "places", "lookups", "employees", "products", "customers", "orders", "order_details"),
    "marketplace": ("event_log",),
    "people": ("departments", "jobs", "employees"),
    "community": ("words", "users", "posts", "albums"),
}
# The marketplace's files end lines with CRLF; DuckDB would write a newline alone.
EVENT_LOG = """
copy (
    select line || chr(13) from (
        select 'event_id;event_type;professional_id_anonymized;created_at;meta_data' as line, 0 as part, 0 as place
        union all
        select line, case event_type when 'created_account' then 1 when 'proposed' then 2 else 3 end, event_id
        from event_log
    )
    order by part, place
) to '{target}' (format csv, header false, delimiter '\t', quote '', escape '')
"""
PEOPLE = "copy (from people_{table}) to '{{target}}' (format csv, header false, delimiter ',')"
ORDER_DETAILS = "copy (from order_details) to '{target}' (format csv, header, delimiter ',')"
# Parents before children, here and below.
PEOPLE_TABLES = ("departments", "jobs", "employees")
TABLES = (
    "region", "territories", "us_states", "categories", "suppliers", "products", "shippers", "employees",
    "employee_territories", "customer_demographics", "customers", "customer_customer_demo", "orders",
)  # fmt: skip
MAX_SCALE = 80_000  # 66 million orders. Five-character customer ids run out a little above.
MAX_SMALLINT_SCALE = 27  # 10,247 + 830 × 27 = 32,657; a smallint ends at 32,767.
ROWS_PER_BATCH = 100_000


def fill_northwind(url: str, scale: int) -> dict[str, int]:
    """Replace the 13 tables in one transaction, and return the number of rows by table.

    Scale 1 has Northwind's size; a larger scale multiplies customers, orders and order lines. From scale 28 on,
    `orders.order_id` is an integer, because a smallint ends at 32,767. Raises StepFailed when the database can't be
    written, BadRequest when the scale is out of range.
    """
    with open_generator(scale) as generator:
        try:
            with adbc.connect(url) as connection, connection.cursor() as cursor:
                cursor.executescript(read_sql("northwind/schema"))
                cursor.executescript(f"alter table orders alter column order_id type {choose_order_id_type(scale)}")
                rows = {}
                for table in TABLES:
                    batches = generator.table(table).to_arrow_reader(ROWS_PER_BATCH)
                    rows[table] = cursor.adbc_ingest(table, batches, mode="append")
                cursor.executescript(read_sql("northwind/keys"))
                connection.commit()
        except adbc.Error as error:
            raise StepFailed(f"sample northwind: {describe(error, url)}") from None
    return rows


def is_filled(url: str) -> bool:
    """Return whether a fill has ever finished there: a killed fill leaves a database without its rows."""
    try:
        with adbc.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("select to_regclass('public.orders') is not null")
            return bool(cursor.fetchall()[0][0])
    except adbc.Error as error:
        raise StepFailed(f"sample northwind: {describe(error, url)}") from None


def write_order_details(path: Path, scale: int) -> int:
    """Write the order lines as CSV, atomically, and return the number of rows without the header."""
    return write_csv(path, scale, ORDER_DETAILS)


def write_event_log(path: Path, scale: int) -> int:
    """Write the event log (`;`, CRLF, not in time order), atomically, and return the number of events."""
    return write_csv(path, scale, EVENT_LOG) - 1


def write_people(path: Path, scale: int) -> int:
    """Write one of `PEOPLE_TABLES`, named by the file, without a header; return the number of rows."""
    return write_csv(path, scale, PEOPLE.format(table=path.stem))


def write_csv(path: Path, scale: int, statement: str) -> int:
    """Let DuckDB write a file, and return the number of rows."""
    with replacing(path, path.stem) as unfinished, open_generator(scale) as generator:
        target = str(unfinished).replace("'", "''")
        return generator.execute(statement.format(target=target)).fetchall()[0][0]


@contextmanager
def replacing(path: Path, sample: str) -> Iterator[Path]:
    """Yield a path for a file's new content, which replaces it at the end; raises StepFailed when it can't."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        unfinished.replace(path)
    except (OSError, duckdb.IOException) as error:
        raise StepFailed(f"sample {sample}: {describe(error)}") from None
    finally:
        with suppress(OSError):  # the folder may be missing
            unfinished.unlink()


@contextmanager
def open_generator(scale: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory DuckDB that has each sample table as a table or view."""
    if not 1 <= scale <= MAX_SCALE:
        raise BadRequest(f"scale {scale} is not between 1 and {MAX_SCALE:,}")
    # One thread keeps the rows in order, and two are no faster. An empty temp folder keeps DuckDB from spilling into
    # the current folder.
    with duckdb.connect(config={"threads": 1, "temp_directory": ""}) as generator:
        generator.execute(f"set variable scale = {scale:d}")
        generator.execute(f"create type order_id_type as {choose_order_id_type(scale)}")
        for folder, names in GENERATORS.items():
            for name in names:
                generator.execute(read_sql(f"{folder}/{name}"))
        yield generator


def choose_order_id_type(scale: int) -> str:
    """Return Northwind's smallint if the ids fit, else integer."""
    return "smallint" if scale <= MAX_SMALLINT_SCALE else "integer"


def read_sql(name: str) -> str:
    """Return the text of one of our SQL files."""
    return (SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def describe(error: Exception, url: str = "") -> str:
    """Return the line of an error that gives the reason, without the URL's password."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    # ADBC puts the whole query before Postgres's message.
    said = next((line for line in lines if "ERROR:" in line or "FATAL:" in line), lines[0])
    password = urlsplit(url).password
    return said.replace(password, "***") if password else said
