"""Write the site's pages from one template folder, with one style, atomically."""

from pathlib import Path
from typing import Any

import jinja2

from ingestion.files import write_atomically

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


def write_page(path: Path, template: str, **content: Any) -> Path:
    """Write a page that loads no other file, and return its path."""
    write_atomically(path, _TEMPLATES.get_template(template).render(**content))
    return path


def seal_page(html: str, *, evaluates: bool = False) -> str:
    """Add a policy to a foreign page that forbids every request, whatever the server; `evaluates` allows eval."""
    scripts = "'unsafe-inline' 'unsafe-eval' blob:" if evaluates else "'unsafe-inline'"
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; worker-src blob:; "
        "font-src data:; img-src data: blob:"
    )
    start = html.index("<head>") + len("<head>")
    return f'{html[:start]}<meta http-equiv="Content-Security-Policy" content="{policy}">{html[start:]}'
