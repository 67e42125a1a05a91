"""Boards: `dashboards/` drawn from the published marts, one page each that needs no network."""

from pipeline.boards.definition import read_boards
from pipeline.boards.write import BOARDS_OF, write_boards

__all__ = ["BOARDS_OF", "read_boards", "write_boards"]
