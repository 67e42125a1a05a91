"""Landing: its layout, manifests and commit protocol."""

from ingestion.landing.manifest import Answer, Column, File, LandedFile, Manifest, Table, Totals
from ingestion.landing.reading import Damaged
from ingestion.landing.rows import Rows
from ingestion.landing.store import Landing

__all__ = ["Answer", "Column", "Damaged", "File", "LandedFile", "Landing", "Manifest", "Rows", "Table", "Totals"]
