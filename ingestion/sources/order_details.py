"""Northwind's order lines, which its database lacks: a comma-separated file, loaded beside Northwind's tables."""

from ingestion.sources.csv import CsvShape
from ingestion.sources.csv_source import CsvSource

SHAPE = CsvShape(
    table="order_details",
    delimiter=",",
    # Wide decimals keep every digit of a price, without float noise.
    columns={
        "order_id": "BIGINT",
        "product_id": "BIGINT",
        "unit_price": "DECIMAL(28, 10)",
        "quantity": "BIGINT",
        "discount": "DECIMAL(18, 10)",
    },
)

SOURCE = CsvSource(name="order_details", raw_schema="raw_northwind", shape=SHAPE)
