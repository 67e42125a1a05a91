"""The site: all pages about the data, with an index."""

from pipeline.site.index import write_index
from pipeline.site.write import refresh_site, write_site

__all__ = ["refresh_site", "write_index", "write_site"]
