"""Write a board's page: its pictures for every screen and colour scheme, and all figures as tables."""

import re
from pathlib import Path
from typing import Any

from pipeline.boards.colors import schemes_of
from pipeline.boards.definition import Board
from pipeline.boards.drawing import MOMENT, View, hover_script
from pipeline.pages import Pages
from pipeline.publishing import Version

_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
# The style sheet of the site has the pages' own font.
_PAGE_FONT = "Inter Variable"
_FAMILY = re.compile(r"font-family:\s*['\"]?([^'\";]+)")
_ACRONYMS = ("id", "usd", "eur")
_FIRST_FAMILY = re.compile(r"font-family=\"(?:&apos;|&quot;|&#x27;|')?([^\"',&]+)")


def open_pages(reports: Path) -> Pages:
    """Return the boards' pages below `reports`."""
    return Pages(reports, Path(__file__).with_name("templates"), cell=_cell, heading=_heading)


def render_page(pages: Pages, board: Board, boards: list[Board], views: list[View], version: Version) -> str:
    """Return a board's HTML, which loads only the style sheet."""
    pictures = [picture for view in views for picture in view.pictures.values()]
    return pages.render(
        board.page,
        "board.html",
        board=board,
        boards=boards,
        views=views,
        version=version,
        label=board.content["variables"][board.variable]["label"] if board.variable else None,
        fonts=_fonts_used(pictures),
        schemes=_schemes(pictures),
        without_fonts=lambda picture: _FONT_FACE.sub("", picture),
        hover_script=hover_script(),
    )


def render_thumbnail(view: View) -> str:
    """Return a view's wide picture as an SVG file with both colour schemes, in the system's font."""
    picture = _FONT_FACE.sub("", view.pictures["wide"])
    start = picture.index(">") + 1
    style = f"{_schemes([picture])} text {{ font-family: system-ui, sans-serif !important }}"
    return f"{picture[:start]}<style>{style}</style>{picture[start:]}"


def _schemes(pictures: list[str]) -> str:
    """Return the pictures' colours as CSS variables, for both colour schemes."""
    light, dark = (
        ":root { " + " ".join(f"{name}: {color};" for name, color in scheme.items()) + " }"
        for scheme in schemes_of(pictures)
    )
    return f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}"


def _fonts_used(pictures: list[str]) -> list[str]:
    """Return the embedded fonts that the pictures use, each once; the rest are only fallbacks."""
    faces = {_FAMILY.findall(face)[0]: face for picture in pictures for face in _FONT_FACE.findall(picture)}
    written = {family for picture in pictures for family in _FIRST_FAMILY.findall(picture)}
    return [face for family, face in sorted(faces.items()) if family in written - {_PAGE_FONT}]


def _heading(column: str) -> str:
    """Return a column's name as a heading: `net_sales_usd` becomes "Net sales USD"."""
    words = [word.upper() if word in _ACRONYMS else word for word in column.removeprefix("is_").split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def _cell(value: Any, kind: str) -> str:
    """Return a figure as text: with thousands separators, amounts with two decimals, whole seconds, NULL empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if kind == "moment":
        return " ".join(filter(None, MOMENT.findall(value)[0]))
    forms = {"count": ",", "amount": ",.2f"}
    return format(value, forms.get(kind, ""))
