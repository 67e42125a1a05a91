"""An API as a source: lists of JSON objects, asked for page by page, each answer kept as it came."""

from ingestion.sources.api.reading import ApiReading
from ingestion.sources.api.shapes import Field, Shape

__all__ = ["ApiReading", "Field", "Shape"]
