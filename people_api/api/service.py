"""What all parts of the service share: its settings from the environment, its metrics, its database and log."""

import logging
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram
from sqlalchemy import Engine

from ingestion.settings import whole_number
from people_api.published import ReadReport


@dataclass(frozen=True)
class ServiceSettings:
    """The limits of the service."""

    requests_per_minute: int = 1_200  # per key, or per address without a valid key; 0 for no limit
    max_body_bytes: int = 4 * 1024 * 1024
    timeout_seconds: int = 30  # to receive a body, and for a statement in the database
    connections: int = 16  # to the people database

    @classmethod
    def from_environment(cls) -> "ServiceSettings":
        """Read PEOPLE_RATE_LIMIT, PEOPLE_MAX_BODY_BYTES, PEOPLE_TIMEOUT_SECONDS and PEOPLE_CONNECTIONS.

        Raises BadRequest when one isn't a whole number or is too small.
        """
        return cls(
            whole_number("PEOPLE_RATE_LIMIT", cls.requests_per_minute, least=0),
            whole_number("PEOPLE_MAX_BODY_BYTES", cls.max_body_bytes, least=1024),
            whole_number("PEOPLE_TIMEOUT_SECONDS", cls.timeout_seconds, least=1),
            whole_number("PEOPLE_CONNECTIONS", cls.connections, least=1),
        )


class Metrics:
    """The service's counters, in a separate registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "people_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram("people_request_seconds", "Seconds to an answer.", ["route"], registry=self.registry)
        self.rows = Counter("people_rows", "Rows judged.", ["table", "verdict"], registry=self.registry)


@dataclass(frozen=True)
class Service:
    """The service's database, backups, published reports, limits and log."""

    engine: Engine
    backups: str  # their folder, or an s3:// URL
    read_report: ReadReport
    settings: ServiceSettings
    logger: logging.Logger
    metrics: Metrics
