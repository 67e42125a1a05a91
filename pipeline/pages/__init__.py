"""Pages of the site: each module has its own templates, and all share a header, a style sheet and its font."""

from base64 import b64encode
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jinja2

from ingestion.files import write_atomically

_SHARED = Path(__file__).with_name("templates")
# dbt-charts measures its pictures' words in this font, so the pages have it too; without dbt-charts, the system's.
_FONT = "core/render/fonts/InterVariable.woff2"


class Pages:
    """The pages that a module writes below `reports` from its own templates and the shared ones."""

    def __init__(self, reports: Path, templates: Path, **filters: Callable[..., Any]):
        self._reports, self._is_styled = reports, False
        self._templates = _environment(templates)
        self._templates.filters.update(filters)

    def render(self, page: str, template: str, **content: Any) -> str:
        """Return a page as HTML; `page` is its path below `reports`."""
        return self._templates.get_template(template).render(root="../" * page.count("/"), **content)

    def write(self, page: str, template: str, **content: Any) -> Path:
        """Render and write a page, and return its path."""
        return self.put(page, self.render(page, template, **content))

    def put(self, page: str, html: str) -> Path:
        """Write a rendered page, and the style sheet of all pages if it isn't there as it is now."""
        if not self._is_styled:
            _update(self._reports / "style.css", _style())
            self._is_styled = True
        return _update(self._reports / page, html)


def _update(path: Path, text: str) -> Path:
    """Write a file unless it is there as it is now: a write waits for the disk."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_atomically(path, text)
    return path


@cache
def _environment(templates: Path) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([templates, _SHARED]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


@cache
def _style() -> str:
    style = (_SHARED / "style.css").read_text(encoding="utf-8")
    charts = find_spec("dbt_charts")
    fonts = [Path(place, _FONT) for place in (charts and charts.submodule_search_locations) or ()]
    font = next((font for font in fonts if font.exists()), None)
    if font is None:
        return style
    data = b64encode(font.read_bytes()).decode()
    face = f"src: url(data:font/woff2;base64,{data}); font-weight: 100 900; font-display: swap"
    return f"@font-face {{ font-family: 'Inter Variable'; {face} }}\n{style}"
