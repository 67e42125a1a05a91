"""The marketplace's event log: a semicolon-separated file with one event a line, not in time order."""

from ingestion.sources.csv import CsvShape
from ingestion.sources.csv_source import CsvSource

SHAPE = CsvShape(
    table="event_log",
    delimiter=";",
    columns={
        "event_id": "BIGINT",
        "event_type": "VARCHAR",
        "professional_id_anonymized": "BIGINT",
        "created_at": "TIMESTAMP",
        "meta_data": "VARCHAR",
    },
)

SOURCE = CsvSource(name="event_log", raw_schema="raw_marketplace", shape=SHAPE)
