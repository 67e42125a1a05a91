"""The objects that all parts of the service share."""

import logging
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram
from sqlalchemy import Engine

from people_api.api.settings import ServiceSettings
from people_api.backups import Store
from people_api.published import PublishedMarts


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
    """The service's database, backups, published marts, limits and log."""

    engine: Engine
    backups: Store
    published: PublishedMarts
    settings: ServiceSettings
    logger: logging.Logger
    metrics: Metrics
