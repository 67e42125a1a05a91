"""The site: everything that is drawn or written about the data, behind one page, served to this machine."""

from pipeline.site.index import write_index
from pipeline.site.serving import serve_site
from pipeline.site.write import write_site

__all__ = ["serve_site", "write_index", "write_site"]
