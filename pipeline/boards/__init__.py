"""Boards: `dashboards/` drawn from the published marts, one page each that needs no network."""

from pipeline.boards.write import write_boards

__all__ = ["write_boards"]
