"""Write the site's index: what is published, how the last days went, and links to all pages."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from ingestion.errors import TradewindsError
from pipeline.boards import BOARDS_OF, read_boards
from pipeline.checks.data_docs import CHECKS_PAGE
from pipeline.pages import Pages
from pipeline.publishing import Version, open_publisher
from pipeline.run.request import Request
from pipeline.site.documentation import DOCS_PAGE
from pipeline.site.history import HISTORY_PAGE, MARKS, Day, read_days
from pipeline.site.lineage import LINEAGE_PAGE

INDEX_PAGE = "index.html"
_HEALTH_DAYS = 14


@dataclass(frozen=True)
class Card:
    """A page of the site on the index; `missing` is the reason if there is none, `command` creates it.

    A board has a picture, and its first figure with its label.
    """

    title: str
    page: str
    about: str
    missing: str | None
    command: str | None
    picture: str | None = None
    figure: tuple[str, str] | None = None


def write_index(request: Request, missing: dict[str, TradewindsError] | None = None) -> Path:
    """Write the index of the existing pages, and return its path.

    `missing` holds, by part, why it couldn't be written now; the index still links to an earlier page.
    """
    reports, refusals = request.home.root / "reports", missing or {}
    boards = reports / BOARDS_OF
    drawn = json.loads(boards.read_text(encoding="utf-8")) if boards.exists() else {}

    def card(part: str, title: str, page: str, about: str) -> Card:
        if (reports / page).exists():
            picture = page.replace(".html", ".svg")
            shown = picture if (reports / picture).exists() else None
            return Card(title, page, about, None, None, shown, drawn.get("figures", {}).get(page))
        if refusal := refusals.get(part):
            return Card(title, page, about, refusal.reason, refusal.command)
        command = request.whole_command("run" if part == "checks" else "docs")
        reason = "nothing has been checked yet" if part == "checks" else "it hasn't been written yet"
        return Card(title, page, about, reason, command)

    groups = {
        "Boards": [card("boards", board.title, board.page, board.content["notes"]) for board in read_boards()],
        "The data": [
            card(
                "documentation",
                "Models and columns",
                DOCS_PAGE,
                "Every table, column, test and metric, with a graph of all models. By dbt.",
            ),
            card(
                "documentation",
                "Column lineage",
                LINEAGE_PAGE,
                "The columns that each column is computed from, from source to mart.",
            ),
        ],
        "The runs": [
            card(
                "checks",
                "Checks",
                CHECKS_PAGE,
                "The expectations of loaded rows and finished marts, with their results. By Great Expectations.",
            ),
            card(
                "history",
                "Run history",
                HISTORY_PAGE,
                "Every step of every day: state, rows, rejected rows, duration, and the command that repeats it.",
            ),
        ],
    }
    version = open_publisher(request.target, request.home).current()
    days = read_days(request.ledger)
    return Pages(reports, Path(__file__).with_name("templates")).write(
        INDEX_PAGE,
        "index.html",
        version=version,
        published_at=_published_at(request, version),
        drawn_of=drawn.get("version"),
        figures=_figures(request, version, days),
        health=_health(days),
        marks=MARKS,
        groups=groups,
        run=request.whole_command("run"),
        docs=request.whole_command("docs"),
    )


def _published_at(request: Request, version: Version | None) -> str | None:
    """Return when a version was published, by the ledger: None if this home doesn't know."""
    entry = (version and request.ledger.read(version.run_date, "publish", request.target)) or {}
    if version is None or entry.get("version") != version.name or not entry["last_success"]:
        return None
    return entry["last_success"][:16].replace("T", " ") + " UTC"


def _figures(request: Request, version: Version | None, days: list[Day]) -> dict[str, str]:
    """Return the figures of the published day: what came in, what was set aside, what held, and what readers see."""
    day = next((day for day in days if version and day.run_date == version.run_date), None)
    if day is None:
        return {}
    arrivals, marts, publish = (
        request.ledger.read(day.run_date, step, request.target) or {}
        for step in ("check_arrivals", "check_marts", "publish")
    )
    judged = sum(check.get("expectations", 0) for check in (arrivals, marts))
    unmet = sum(len(check.get("warnings", [])) for check in (arrivals, marts))
    return {
        "Rows read": f"{day.total('rows'):,}",
        "Rows rejected": f"{day.total('rejected'):,}",
        f"Expectations checked, {unmet or 'no'} warning{'s' if unmet > 1 else ''}": f"{judged:,}",
        "Rows published": f"{publish.get('rows') or 0:,}",
    }


def _health(days: list[Day]) -> list[tuple[str, str]]:
    """Return the state of each of the last days up to the newest run date, oldest first; "no run" where none was."""
    if not days:
        return []
    states = {day.run_date: day.state for day in days}
    newest = date.fromisoformat(days[0].run_date)
    last = [(newest - timedelta(back)).isoformat() for back in reversed(range(_HEALTH_DAYS))]
    return [(day, states.get(day, "no run")) for day in last]
