"""The order lines that Northwind's database lacks: a comma-separated file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.samples.defaults import sample_order_details
from ingestion.settings import Home, source_setting
from ingestion.sources.csv import CsvReading, CsvShape

SHAPE = CsvShape(
    table="order_details",
    delimiter=",",
    # Wide decimals: the record keeps every digit a price may come with, and no float noise.
    columns={
        "order_id": "BIGINT",
        "product_id": "BIGINT",
        "unit_price": "DECIMAL(28, 10)",
        "quantity": "BIGINT",
        "discount": "DECIMAL(18, 10)",
    },
)


class OrderDetails:
    """One CSV file (`sources.order_details.path`), loaded beside Northwind's tables."""

    name = "order_details"
    area = "csv"
    raw_schema = "raw_northwind"

    def is_configured(self) -> bool:
        return bool(source_setting(self.name, "path"))

    @contextmanager
    def open(self, home: Home, run_date: str, work: Path) -> Iterator[CsvReading]:
        configured = source_setting(self.name, "path")
        path = Path(configured).expanduser() if configured else sample_order_details(home)
        with CsvReading.open(path, SHAPE, work) as reading:
            yield reading
