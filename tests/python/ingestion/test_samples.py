"""The generated sample data has Northwind's known shape in a real Postgres."""

import csv
import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import date
from http.client import HTTPConnection
from pathlib import Path

import psycopg
import pytest

from ingestion.embedded import EmbeddedPostgres
from ingestion.errors import BadRequest, StepFailed
from ingestion.samples.api_files import RESOURCES, write_api_files
from ingestion.samples.api_server import ApiServer
from ingestion.samples.generate import (
    MAX_SCALE,
    TABLES,
    fill_northwind,
    is_filled,
    open_generator,
    write_order_details,
    write_people,
)
from tests.python.people import read_rows
from tests.python.sandbox import Database, make_database

NORTHWIND_ROWS = {
    "categories": 8,
    "customer_customer_demo": 0,
    "customer_demographics": 0,
    "customers": 91,
    "employee_territories": 49,
    "employees": 9,
    "orders": 830,
    "products": 77,
    "region": 4,
    "shippers": 6,
    "suppliers": 29,
    "territories": 53,
    "us_states": 51,
}


@pytest.fixture(scope="module")
def northwind(server: EmbeddedPostgres) -> str:
    """The URL of a database filled at scale 1, which no test changes."""
    url = make_database(server).url
    fill_northwind(url, 1)
    return url


@pytest.fixture
def other(new_database: Callable[[], Database]) -> str:
    """The URL of a database for tests that change it."""
    return new_database().url


def ask(url: str, question: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchall()


def read_content(url: str) -> str:
    """A hash over all rows of all tables, as COPY writes them, in their order."""
    content = hashlib.sha256()
    with psycopg.connect(url) as connection:
        for table in TABLES:
            with connection.cursor().copy(f"copy {table} to stdout") as rows:
                for row in rows:
                    content.update(row)
    return content.hexdigest()


def test_every_table_has_northwinds_number_of_rows(northwind: str) -> None:
    counted = {table: ask(northwind, f"select count(*) from {table}")[0][0] for table in TABLES}
    assert counted == NORTHWIND_ROWS
    tables = ask(northwind, "select tablename from pg_tables where schemaname = 'public'")
    assert {name for (name,) in tables} == NORTHWIND_ROWS.keys()


def test_types_and_keys_are_northwinds(northwind: str) -> None:
    columns = dict(
        ask(
            northwind,
            """
            select attname, format_type(atttypid, atttypmod)
            from pg_attribute
            where attrelid = 'orders'::regclass and attnum > 0
            """,
        )
    )
    assert columns["order_id"] == "smallint"
    assert columns["customer_id"] == "bpchar"
    assert columns["order_date"] == "date"
    assert columns["freight"] == "real"
    assert columns["ship_region"] == "character varying(15)"
    keys = ask(
        northwind,
        """
        select contype, count(*)
        from pg_constraint
        where connamespace = 'public'::regnamespace and contype in ('p', 'f')
        group by contype
        """,
    )
    assert dict(keys) == {"p": 13, "f": 11}


def test_orders_look_like_two_years_of_trade(northwind: str) -> None:
    first, last, not_shipped, late, customers, from_date, to_date = ask(
        northwind,
        """
        select
            min(order_id),
            max(order_id),
            count(*) filter (where shipped_date is null),
            count(*) filter (where shipped_date > required_date),
            count(distinct customer_id),
            min(order_date),
            max(shipped_date)
        from orders
        """,
    )[0]
    assert (first, last, not_shipped, late) == (10248, 11077, 21, 37)
    assert customers < 91, "some customers have no order"
    assert date(1996, 7, 1) <= from_date < to_date < date(1998, 6, 1)
    assert not ask(northwind, "select 1 from orders where shipped_date < order_date")


@pytest.mark.parametrize(
    "column",
    [
        "customers.region",
        "customers.fax",
        "suppliers.homepage",
        "orders.ship_region",
        "employees.reports_to",
        "categories.picture",
    ],
)
def test_a_column_has_both_nulls_and_values(northwind: str, column: str) -> None:
    table, name = column.split(".")
    nulls, values = ask(northwind, f"select count(*) - count({name}), count({name}) from {table}")[0]
    assert nulls > 0
    assert values > 0


def test_texts_have_letters_of_many_languages_and_pictures_have_bytes(northwind: str) -> None:
    beyond_ascii = "~ '[^\\x01-\\x7f]'"
    for column in ("company_name", "contact_name", "city", "address"):
        assert ask(northwind, f"select 1 from customers where {column} {beyond_ascii}")
    pictures = [picture for (picture,) in ask(northwind, "select picture from categories")]
    assert b"" in pictures
    assert any(picture and picture.startswith(b"GIF89a") for picture in pictures)


def test_filling_twice_gives_the_same_content(northwind: str, other: str) -> None:
    fill_northwind(other, 2)
    assert read_content(other) != read_content(northwind)
    fill_northwind(other, 1)
    assert read_content(other) == read_content(northwind)


def test_content_does_not_depend_on_threads() -> None:
    question = "select md5(string_agg(o::varchar, '' order by order_id)) from orders as o"
    with open_generator(7) as generator:
        alone = generator.execute(question).fetchone()
        generator.execute("set threads = 8")
        assert generator.execute(question).fetchone() == alone


def test_content_is_the_same_on_every_machine(northwind: str, tmp_path: Path) -> None:
    """These four change with every change of the sample rows, and with nothing else."""
    write_order_details(tmp_path / "order_details.csv", 1)
    lines = hashlib.sha256((tmp_path / "order_details.csv").read_bytes()).hexdigest()
    write_people(tmp_path / "employees.csv", 1)
    api = _write_community(tmp_path, 1)
    community = hashlib.sha256(b"".join(path.read_bytes() for path in api.values())).hexdigest()
    people = hashlib.sha256((tmp_path / "employees.csv").read_bytes()).hexdigest()
    assert (read_content(northwind)[:16], lines[:16], people[:16], community[:16]) == (
        "9cfd0022ae0dece8",
        "045ae1eb68c999a5",
        "c9715a06692e6d47",
        "f2c5552c126599cd",
    )


def test_a_larger_scale_multiplies_customers_orders_and_lines(other: str, tmp_path: Path) -> None:
    rows = fill_northwind(other, 3)
    assert rows == NORTHWIND_ROWS | {"customers": 273, "orders": 2490}
    assert write_order_details(tmp_path / "lines.csv", 3) == 3 * 2155
    (not_shipped,) = ask(other, "select count(*) from orders where shipped_date is null")[0]
    assert not_shipped == 63
    ids = [customer for (customer,) in ask(other, "select customer_id from customers")]
    assert {len(customer) for customer in ids} == {5}


def test_order_ids_become_integers_when_a_smallint_ends(other: str) -> None:
    for scale, kind, last in ((27, "smallint", 32_657), (28, "integer", 33_487)):
        fill_northwind(other, scale)
        question = "select pg_typeof(max(order_id))::text, max(order_id) from orders"
        assert ask(other, question) == [(kind, last)]


def test_a_fill_is_whole_or_not_at_all(other: str) -> None:
    url = other
    assert not is_filled(url)
    fill_northwind(url, 1)
    assert is_filled(url)
    before = read_content(url)
    with psycopg.connect(url) as connection:
        connection.execute("create view customers_in_use as select * from customers")
    with pytest.raises(StepFailed, match="customers") as failure:
        fill_northwind(url, 2)
    assert len(str(failure.value).splitlines()) == 1
    assert read_content(url) == before


def test_failures_are_one_line_without_the_password(tmp_path: Path) -> None:
    url = "postgresql://somebody:s3cret@127.0.0.1:1/northwind"
    for call in (lambda: fill_northwind(url, 1), lambda: is_filled(url)):
        with pytest.raises(StepFailed) as failure:
            call()
        assert "s3cret" not in str(failure.value)
        assert len(str(failure.value).splitlines()) == 1
    for scale in (0, -1, MAX_SCALE + 1):
        with pytest.raises(BadRequest):
            write_order_details(tmp_path / "lines.csv", scale)
    (tmp_path / "file").touch()
    with pytest.raises(StepFailed):
        write_order_details(tmp_path / "file" / "lines.csv", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_lines_belong_to_orders_and_products(northwind: str, tmp_path: Path) -> None:
    path = tmp_path / "it's here" / "order_details.csv"
    assert write_order_details(path, 1) == 2155
    assert [entry.name for entry in path.parent.iterdir()] == ["order_details.csv"]
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == ["order_id", "product_id", "unit_price", "quantity", "discount"]
    assert len(lines) == 2155
    assert len({(line["order_id"], line["product_id"]) for line in lines}) == 2155
    orders = {str(order) for (order,) in ask(northwind, "select order_id from orders")}
    assert {line["order_id"] for line in lines} == orders, "every order has a line"
    products = {str(product) for (product,) in ask(northwind, "select product_id from products")}
    assert {line["product_id"] for line in lines} <= products
    assert all(len(line["unit_price"].partition(".")[2]) <= 2 for line in lines)
    assert all(float(line["unit_price"]) > 0 and int(line["quantity"]) > 0 for line in lines)
    assert {line["discount"] for line in lines} == {"0", "0.05", "0.1", "0.15", "0.2", "0.25"}


def test_a_rewritten_csv_has_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "order_details.csv"
    write_order_details(path, 5)
    first = path.read_bytes()
    write_order_details(path, 5)
    assert path.read_bytes() == first


def test_people_are_hired_unevenly_and_one_in_fifty_with_a_fault(tmp_path: Path) -> None:
    for table, rows in {"departments": 12, "jobs": 183, "employees": 1999}.items():
        assert write_people(tmp_path / f"{table}.csv", 1) == rows
    tables = {
        table: list(read_rows(tmp_path / f"{table}.csv", table)) for table in ("departments", "jobs", "employees")
    }
    for rows in tables.values():
        assert [row["id"] for row in rows] == [str(number + 1) for number in range(len(rows))]
    for table in ("departments", "jobs"):
        assert len({row["name"] for row in tables[table]}) == len(tables[table])
    known = {row["id"] for row in tables["departments"]}
    good = [row for row in tables["employees"] if all(row.values()) and row["department_id"] in known]
    assert 0.01 < 1 - len(good) / 1999 < 0.03
    for column in ("name", "hiring_date", "department_id", "job_id"):
        assert any(not row[column] for row in tables["employees"])
    for row in good:
        assert re.fullmatch(r"202[012]-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["hiring_date"])
    for year in ("2020", "2021", "2022"):
        hired = Counter(row["department_id"] for row in good if row["hiring_date"].startswith(year))
        assert 0 < sum(count * 12 > hired.total() for count in hired.values()) < len(hired) < 12


def test_a_larger_scale_multiplies_employees_only(tmp_path: Path) -> None:
    rows = {table: write_people(tmp_path / f"{table}.csv", 3) for table in ("departments", "jobs", "employees")}
    assert rows == {"departments": 12, "jobs": 183, "employees": 3 * 1999}


def _write_community(folder: Path, scale: int) -> dict[str, Path]:
    """Write the files and return them, having counted their rows."""
    paths = {resource: folder / f"{resource}.jsonl" for resource in RESOURCES}
    sizes = {"users": 10, "posts": 100, "comments": 500, "albums": 100, "photos": 5000, "todos": 200}
    assert write_api_files(paths, scale) == {resource: scale * rows for resource, rows in sizes.items()}
    return paths


def test_the_community_belongs_together(tmp_path: Path) -> None:
    paths = _write_community(tmp_path, 2)
    rows = {name: [json.loads(line) for line in path.read_text().splitlines()] for name, path in paths.items()}
    ids = {resource: [row["id"] for row in found] for resource, found in rows.items()}
    assert all(found == list(range(1, len(found) + 1)) for found in ids.values())
    for resource, key, parent in (
        ("posts", "userId", "users"),
        ("comments", "postId", "posts"),
        ("albums", "userId", "users"),
        ("photos", "albumId", "albums"),
        ("todos", "userId", "users"),
    ):
        assert {row[key] for row in rows[resource]} <= set(ids[parent])
    assert len({user["username"] for user in rows["users"]}) == 20
    comments = Counter(row["postId"] for row in rows["comments"])
    assert max(comments.values()) > 8
    assert len(comments) < 200, "somebody's post is without a comment"
    shares = Counter(row["userId"] for row in rows["todos"] if row["completed"])
    assert max(shares.values()) > 2 * min(shares.values())


def test_the_sample_api_leaves_no_thread_though_a_client_keeps_its_connection_open(tmp_path: Path) -> None:
    """A thread that lives to the end of the process makes DuckDB complain on standard error."""
    path = tmp_path / "users.jsonl"
    path.write_text('{"id": 1}\n')
    before = set(threading.enumerate())
    with ApiServer({"users": path}).running() as url:
        client = HTTPConnection(url.removeprefix("http://"))
        client.request("GET", "/users")
        assert json.loads(client.getresponse().read()) == [{"id": 1}]
        assert len(set(threading.enumerate()) - before) == 2
    assert set(threading.enumerate()) == before
    client.close()


def test_a_community_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StepFailed, match="sample community users: "):
        write_api_files({"users": tmp_path / "file" / "users.jsonl"}, 1)
