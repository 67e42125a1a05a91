"""What takes how much space: landing by source, the warehouse, what is published, and the folders of the home."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from rich.table import Table

from ingestion.landing import Landing
from ingestion.settings import Home
from ingestion.stores import open_store
from ingestion.warehouse import Warehouse

_AT_ONCE = 8
# The folders of the home that are told otherwise.
_STORES = ("landing", "published", "exports", "backups", "warehouse")
_NAMES = {"runs": "ledger"}


def measure(home: Home, warehouse: Warehouse) -> Iterator[tuple[str, str, int]]:
    """Yield kind, name and bytes of everything stored; a landed file that several days list is counted once."""
    landing = Landing(home)
    for source in landing.sources():
        yield "landing", source, sum(landing.listed(source).values())
    for schema, size in sorted(warehouse.space().items(), key=lambda one: (_kind(one[0]), one[0])):
        yield _kind(schema), schema.removesuffix("__versions") or "(free in the file)", size
    yield "published versions", "", _store_size(home, home.published, "versions")
    yield "exports", "", _store_size(home, home.exports)
    for folder in sorted(home.root.iterdir()) if home.root.is_dir() else ():
        if folder.is_dir() and folder.name not in _STORES:
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
            yield _NAMES.get(folder.name, folder.name), "", size


def space_table(measured: list[tuple[str, str, int]]) -> Table:
    """Return what `measure` yields as a table, with the sum."""
    table = Table(box=None, pad_edge=False)
    for column in ("what", "name"):
        table.add_column(column, overflow="fold")
    table.add_column("space", justify="right", no_wrap=True)
    for kind, name, size in [*measured, ("all", "", sum(size for *_, size in measured))]:
        table.add_row(kind, name, show_bytes(size))
    return table


def show_bytes(size: int) -> str:
    """Return a number of bytes for a person: `1.2 GB`."""
    amount, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            break
        amount /= 1000
    return f"{amount:,.0f} B" if unit == "B" else f"{amount:,.1f} {unit}"


def _kind(schema: str) -> str:
    if schema.startswith("version_"):
        return "published versions"
    return "raw" if schema.startswith("raw") else "marts" if schema else "warehouse"


def _store_size(home: Home, url: str, folder: str = "") -> int:
    store = open_store(url, home.work)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return sum(size or 0 for size in pool.map(store.size, store.names(folder)))
