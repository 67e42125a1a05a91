"""Write the site's index: the published version, and links to all pages."""

from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import TradewindsError
from pipeline.boards.definition import read_boards
from pipeline.publishing import open_publisher
from pipeline.run.request import Request
from pipeline.site.documentation import DOCS_PAGE, LINEAGE_PAGE
from pipeline.site.history import HISTORY_PAGE
from pipeline.site.pages import write_page

INDEX_PAGE = "index.html"


@dataclass(frozen=True)
class Card:
    """A page of the site on the index; `missing` is the reason if there is none, `command` creates it."""

    title: str
    page: str
    about: str
    missing: str | None
    command: str | None


def write_index(request: Request, missing: dict[str, TradewindsError] | None = None) -> Path:
    """Write the index of the existing pages, and return its path.

    `missing` holds, by part, why it couldn't be written now; the index still links to an earlier page.
    """
    reports, refusals = request.home.root / "reports", missing or {}

    def card(part: str, title: str, page: str, about: str) -> Card:
        if (reports / page).exists():
            return Card(title, page, about, None, None)
        if refusal := refusals.get(part):
            return Card(title, page, about, refusal.reason, refusal.command)
        command = request.whole_command("run" if part == "checks" else "docs")
        reason = "nothing has been checked yet" if part == "checks" else "it hasn't been written yet"
        return Card(title, page, about, reason, command)

    groups = {
        "Boards": [
            card("boards", board.title, f"boards/{board.name}.html", board.content["notes"]) for board in read_boards()
        ],
        "The data": [
            card(
                "documentation",
                "Models and columns",
                DOCS_PAGE,
                "What every table, column, test and metric means, and what is made of what; by dbt.",
            ),
            card(
                "documentation",
                "Column lineage",
                LINEAGE_PAGE,
                "Where each column comes from, and what is made of it, from the source to the mart.",
            ),
        ],
        "The runs": [
            card(
                "checks",
                "Checks",
                "expectations/index.html",
                "What must hold of rows that arrive and of finished marts, and whether it did; by Great Expectations.",
            ),
            card(
                "history",
                "Run history",
                HISTORY_PAGE,
                "Every day and step: how it ended, its rows, rejects and seconds, and what to type to do it again.",
            ),
        ],
    }
    version = open_publisher(request.target, request.home).current()
    return write_page(
        reports / INDEX_PAGE, "index.html", version=version, groups=groups, run=request.whole_command("run")
    )
