"""APIs as sources: lists of JSON objects, requested page by page, with every answer kept unchanged."""

from ingestion.sources.api.reading import ApiReading
from ingestion.sources.api.shapes import Field, Shape

__all__ = ["ApiReading", "Field", "Shape"]
