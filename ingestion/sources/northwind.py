"""Northwind's operational database, or its sample on the embedded Postgres."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ingestion.samples.defaults import sample_database
from ingestion.settings import Home, database_url, source_setting
from ingestion.sources.postgres import PostgresReading, open_postgres
from ingestion.totals import ControlTotals

CONTROL_TOTALS = {
    "categories": ControlTotals(key="category_id"),
    "customer_customer_demo": ControlTotals(key=("customer_id", "customer_type_id")),
    "customer_demographics": ControlTotals(key=("customer_type_id",)),
    "customers": ControlTotals(key=("customer_id",)),
    "employee_territories": ControlTotals(key=("employee_id", "territory_id")),
    "employees": ControlTotals(key="employee_id"),
    "orders": ControlTotals(key="order_id", amount=("freight",)),
    "products": ControlTotals(key="product_id", amount=("unit_price",)),
    "region": ControlTotals(key="region_id"),
    "shippers": ControlTotals(key="shipper_id"),
    "suppliers": ControlTotals(key="supplier_id"),
    "territories": ControlTotals(key=("territory_id",)),
    "us_states": ControlTotals(key="state_id"),
}


class Northwind:
    """All tables of one Postgres schema (`sources.northwind.schema`), found by reflection."""

    name = "northwind"
    area = "postgres"
    raw_schema = "raw_northwind"
    tables_with_history = frozenset({"customers", "employees", "products", "suppliers"})
    control_totals = CONTROL_TOTALS

    def is_sample(self, home: Home) -> bool:
        return database_url(self.name) is None

    @contextmanager
    def open(self, home: Home, run_date: str, work: Path) -> Iterator[PostgresReading]:
        with ExitStack() as stack:
            url = database_url(self.name) or stack.enter_context(sample_database(home))
            yield stack.enter_context(
                open_postgres(
                    url,
                    schema=source_setting(self.name, "schema", "public"),
                    exclude=source_setting(self.name, "exclude_tables", []),
                    control_totals=self.control_totals,
                )
            )
