"""Landing: its layout, manifests and commit protocol."""

from ingestion.landing.manifest import Answer, Column, File, Manifest, Table, Totals
from ingestion.landing.reading import Damaged
from ingestion.landing.store import Landing

__all__ = ["Answer", "Column", "Damaged", "File", "Landing", "Manifest", "Table", "Totals"]
