"""A board's page: its pictures for every screen and colour scheme, and all figures as tables."""

import re
from pathlib import Path
from typing import Any

import jinja2

from pipeline.boards.definition import Board
from pipeline.boards.drawing import View, hover_script
from pipeline.publishing import Version

_TEMPLATES = Path(__file__).with_name("templates")
_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_FAMILY = re.compile(r"font-family:\s*['\"]?([^'\";]+)")
_FIRST_FAMILY = re.compile(r"font-family=\"(?:&apos;|&quot;|&#x27;|')?([^\"',&]+)")


def render_page(board: Board, boards: list[Board], views: list[View], version: Version) -> str:
    """Return a board's HTML, which needs nothing but itself."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters["cell"] = _cell
    pictures = [picture for view in views for picture in view.pictures.values()]
    return templates.get_template("board.html").render(
        board=board,
        boards=boards,
        views=views,
        version=version,
        label=board.content["variables"][board.variable]["label"] if board.variable else None,
        fonts=_fonts_used(pictures),
        without_fonts=lambda picture: _FONT_FACE.sub("", picture),
        hover_script=hover_script(),
    )


def _fonts_used(pictures: list[str]) -> list[str]:
    """Return the fonts that the pictures bring and write with, each once; the rest are only fallbacks."""
    faces = {_FAMILY.search(face)[1]: face for picture in pictures for face in _FONT_FACE.findall(picture)}
    written = {family for picture in pictures for family in _FIRST_FAMILY.findall(picture)}
    return [face for family, face in sorted(faces.items()) if family in written]


def _cell(value: Any) -> str:
    """Return a figure as people write it: thousands apart, at most two decimals, nothing for NULL."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return str(value)
