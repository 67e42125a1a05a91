"""Write `<home>/reports/boards/<board>.html` for one published version, all boards or none."""

import json
import time
from pathlib import Path

from ingestion.errors import Refused, StepFailed
from pipeline.boards.definition import Board, read_boards
from pipeline.publishing import open_publisher
from pipeline.run.request import Request

# What the boards were drawn from, and each one's first figure, for the index.
BOARDS_OF = "boards/drawn.json"


def write_boards(request: Request) -> Path:
    """Draw every board and return their folder.

    Raises Refused when nothing, or not every mart of a board, is published, StepFailed when a board can't be drawn.
    """
    # Every run imports this package for the index, and draws nothing: the colours alone take 0.2 s to import.
    from pipeline.boards.drawing import Drawing
    from pipeline.boards.page import open_pages, render_page, render_thumbnail

    publisher, run = open_publisher(request.target, request.home), request.whole_command("run")
    version = publisher.current()
    if version is None:
        raise Refused("nothing is published yet", run)
    relations, boards = publisher.relations(), read_boards()
    _refuse_missing(boards, relations, run)
    reports = request.home.root / "reports"
    pages, files, figures = open_pages(reports), {}, {}
    with Drawing(publisher.reader_connection(), relations) as drawing:
        for board in boards:
            started = time.monotonic()
            views = drawing.views(board)
            files[board.page] = render_page(pages, board, boards, views, version)
            files[board.page.replace(".html", ".svg")] = render_thumbnail(views[0])
            figures[board.page] = views[0].first_figure
            request.reporter.line("board", board.name, None, time.monotonic() - started)
    if publisher.current() != version:
        raise StepFailed("another version was published meanwhile", request.whole_command("boards"))
    files[BOARDS_OF] = json.dumps({"version": version.name, "figures": figures}, indent=2)
    for name, content in files.items():
        pages.put(name, content)
    folder = reports / "boards"
    for former in set(folder.iterdir()) - {reports / name for name in files}:
        former.unlink()
    return folder


def _refuse_missing(boards: list[Board], relations: list[str], command: str) -> None:
    published = {relation.partition(".")[2] for relation in relations}
    missing = [f"{mart} (board {board.name})" for board in boards for mart in sorted(board.refs - published)]
    if missing:
        raise Refused(f"marts that boards read aren't published: {', '.join(missing)}", command)
