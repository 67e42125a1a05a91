"""The site: all pages about the data, with an index, served to this machine."""

from pipeline.site.index import write_index
from pipeline.site.serving import serve_site
from pipeline.site.write import write_site

__all__ = ["serve_site", "write_index", "write_site"]
