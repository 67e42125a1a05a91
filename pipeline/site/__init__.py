"""The site: all pages about the data, with an index, served to this machine."""

from pipeline.site.index import write_index
from pipeline.site.serving import serve_site
from pipeline.site.write import refresh_site, write_site

__all__ = ["refresh_site", "serve_site", "write_index", "write_site"]
