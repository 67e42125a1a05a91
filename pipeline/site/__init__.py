"""The site: all pages about the data, with an index."""

from pipeline.site.index import write_index
from pipeline.site.write import write_site

__all__ = ["write_index", "write_site"]
