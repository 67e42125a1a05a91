"""Boards: `dashboards/` drawn from what readers see, each one page that needs no network."""

from pipeline.boards.write import write_boards

__all__ = ["write_boards"]
