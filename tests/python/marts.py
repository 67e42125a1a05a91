"""What the built marts hold, on either engine."""

import os
from collections.abc import Iterable
from unittest.mock import patch

from ingestion.settings import Home
from ingestion.warehouse import open_warehouse
from tests.python.sandbox import Sandbox

TARGETS = ("duckdb", "postgres")
Rows = dict[str, list[dict]]


def read_marts(sandbox: Sandbox, target: str, relations: Iterable[str]) -> Rows:
    """Return the rows of relations of a sandbox's warehouse."""
    found = {}
    with patch.dict(os.environ, sandbox.settings):
        warehouse = open_warehouse(target, Home(sandbox.home))
        with warehouse.serving():
            for relation in relations:
                with warehouse.reading(relation) as batches:
                    found[relation] = batches.read_all().to_pylist()
    return found
