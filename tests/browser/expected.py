"""What the boards must say, asked of the sources themselves and not of what was made of them."""

from decimal import Decimal
from typing import Any

import duckdb

from tests.python.sandbox import Sandbox

# A line's discount is rounded to four decimals, half up, as the sales marts promise.
_LINES = """
    select order_id, product_id, gross - round(gross * discount, 4) as net
    from (
        select order_id, product_id, discount, unit_price * quantity as gross
        from read_csv(?, header = true, columns = {
            'order_id': 'bigint', 'product_id': 'bigint', 'unit_price': 'decimal(19, 4)',
            'quantity': 'bigint', 'discount': 'decimal(9, 4)'
        })
    )
"""


class Sources:
    """A sandbox's sources in a DuckDB of their own: `orders`, `lines`, `events`, `hires`."""

    def __init__(self, sandbox: Sandbox):
        self._session = duckdb.connect()
        orders = sandbox.northwind.query(
            "select order_id, trim(customer_id), order_date, required_date, shipped_date, ship_country from orders"
        )
        self._fill(
            "orders",
            "order_id bigint, customer varchar, ordered date, required date, shipped date, country varchar",
            orders,
        )
        self._fill(
            "products",
            "product_id bigint, product varchar, category varchar",
            sandbox.northwind.query(
                "select product_id, product_name, category_name from products left join categories using (category_id)"
            ),
        )
        self._fill("departments", "id bigint, name varchar", sandbox.people.query("select id, name from departments"))
        self._fill(
            "hires",
            "department varchar, job varchar, hired timestamp",
            sandbox.people.query(
                "select departments.name, jobs.name, hiring_date at time zone 'utc' from employees "
                "join departments on departments.id = department_id join jobs on jobs.id = job_id"
            ),
        )
        self._session.execute("create table lines as " + _LINES, [str(sandbox.order_details)])
        events = sandbox.home / "sources" / "event_log.csv"
        self._session.execute(
            "create table events as select * from read_csv(?, delim = ';', header = true, all_varchar = true)",
            [str(events)],
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._session.execute(query).fetchall()

    def value(self, query: str) -> Any:
        return self.rows(query)[0][0]

    def _fill(self, table: str, columns: str, rows: list[tuple]) -> None:
        self._session.execute(f"create table {table} ({columns})")
        self._session.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)


def money(amount: Decimal) -> str:
    """Return an amount as tables write it: thousands apart, two decimals, half up."""
    return f"{Decimal(amount).quantize(Decimal('0.01'), 'ROUND_HALF_UP'):,}"
