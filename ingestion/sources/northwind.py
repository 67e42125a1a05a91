"""Northwind's operational database, or its sample on the embedded Postgres."""

from ingestion.sources.postgres_source import PostgresSource

SOURCE = PostgresSource(name="northwind", raw_schema="raw_northwind")
