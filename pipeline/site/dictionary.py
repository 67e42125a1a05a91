"""Write the data dictionary: what a row of every mart is, its columns, its key, and the sources that it is made of."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.dbt.lineage import Table
from pipeline.dbt.project import Mart, published_marts
from pipeline.pages import Pages

DICTIONARY_PAGE = "dictionary.html"


@dataclass(frozen=True)
class Entry:
    """A mart with the types of its columns, its sources, and its node's id in dbt, None for what isn't built."""

    mart: Mart
    types: dict[str, str]
    sources: list[str]
    node: str | None


def write_dictionary(reports: Path, catalog: dict[str, Any], tables: list[Table]) -> None:
    """Write the page from dbt's catalog of a build and the tables' lineage."""
    nodes = {node.rpartition(".")[2]: (node, told["columns"]) for node, told in catalog["nodes"].items()}
    reads = {table.name: table.reads for table in tables}
    sources = {table.name for table in tables if table.kind == "source"}
    schemas: dict[str, list[Entry]] = defaultdict(list)
    for mart in published_marts():
        schema, name = mart.place
        node, columns = nodes.get(name, (None, {}))
        types = {column: told["type"].lower() for column, told in columns.items()}
        schemas[schema].append(Entry(mart, types, sorted(_upstream(name, reads) & sources), node))
    Pages(reports, Path(__file__).with_name("templates")).write(DICTIONARY_PAGE, "dictionary.html", schemas=schemas)


def _upstream(name: str, reads: dict[str, list[str]]) -> set[str]:
    """Return all tables that a table is made of."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        fresh = set(reads.get(waiting.pop(), [])) - found
        found |= fresh
        waiting += fresh
    return found
