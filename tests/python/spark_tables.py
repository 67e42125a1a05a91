"""Read the tables of the Spark warehouse without Spark."""

from pathlib import Path

from pyiceberg.table import StaticTable


def open_table(home: Path, schema: str, table: str) -> StaticTable:
    """Open a table as its newest metadata lists its files."""
    metadata = home / "warehouse" / "spark" / schema / table / "metadata"
    version = (metadata / "version-hint.text").read_text(encoding="utf-8").strip()
    return StaticTable.from_metadata(str(metadata / f"v{version}.metadata.json"))
