"""Northwind's operational database, or its sample on the embedded Postgres."""

from ingestion.sources.postgres_source import PostgresSource

# Its order lines come from a file; a database that has them too must not load them twice.
SOURCE = PostgresSource(name="northwind", raw_schema="raw_northwind", left_out=("order_details",))
