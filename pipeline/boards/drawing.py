"""Draw boards with dbt-charts: SVG pictures, and the figures behind them."""

import json
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any, Literal, Self

import yaml

from ingestion.errors import Refused, StepFailed
from ingestion.redact import one_line
from pipeline.boards.colors import name_colors
from pipeline.boards.definition import DASHBOARDS, SCREENS, Board

# The name of the published marts in dashboards/meta.yml.
_SOURCE = "published"
# The drawing time isn't data, and would make every picture differ.
_DRAWN_AT = re.compile(r' data-rendered-at="[^"]*"')
_MOST_OPTIONS = 1000
# The shade of the largest cell, in percent: text keeps a contrast of 4.5:1.
_DEEPEST_SHADE = 45
# A table with more columns stacks its cells on a narrow screen.
_MOST_COLUMNS_ABREAST = 3
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.\d+)?)?")
# Python's form of dashboards/meta.yml's number formats.
_FORMS = {"integer": ",.0f", "one_decimal": ",.1f", "percent": ".1%"}


@dataclass(frozen=True)
class Figures:
    """All rows behind a chart; `is_table` if the board shows only the rows.

    `shaded` are a table's columns with cells shaded by value.
    """

    title: str
    rows: list[dict[str, Any]]
    is_table: bool
    shaded: tuple[str, ...] = ()

    @property
    def kinds(self) -> dict[str, str]:
        """The format of each column's cells: key, count, amount, moment or text."""
        return {column: _kind(column, [row[column] for row in self.rows]) for column in self.rows[0]}

    @property
    def shades(self) -> dict[str, float]:
        """The shade per unit of each shaded column, in percent."""
        largest = max((row[column] or 0 for row in self.rows for column in self.shaded), default=0)
        return dict.fromkeys(self.shaded, _DEEPEST_SHADE / largest) if largest else {}

    @property
    def is_stacked(self) -> bool:
        """Whether a narrow screen stacks a row's cells; a shaded table stays a grid."""
        return len(self.rows[0]) > _MOST_COLUMNS_ABREAST and not self.shaded


@dataclass(frozen=True)
class View:
    """A board for one value of its variable: SVG by screen, figures by chart, and its first figure with its label."""

    value: str | None
    pictures: dict[str, str]
    figures: dict[str, Figures]
    first_figure: tuple[str, str] | None = None


class Drawing:
    """A temporary dbt-charts project: copies of the boards, and a manifest that resolves ref() to published marts.

    dbt's manifest would work only on DuckDB: on Postgres it names the schemas of builds.
    """

    def __init__(self, connection: dict[str, str | int], relations: list[str]):
        # Set it before the import, which reads it.
        os.environ["DO_NOT_TRACK"] = "1"
        try:
            from dbt_charts.agent_api import ProjectSession
        except ImportError as error:
            raise Refused(f"dbt-charts isn't there: {one_line(error)}", "make setup") from error
        self._folder = TemporaryDirectory(prefix="tradewinds-boards-")
        project = Path(self._folder.name)
        copytree(DASHBOARDS, project / "charts")
        nodes = {f"model.tradewinds.{relation}": _node(relation) for relation in relations}
        (project / "target").mkdir()
        (project / "target" / "manifest.json").write_text(json.dumps({"nodes": nodes, "sources": {}}), encoding="utf-8")
        (project / "dbt_charts.yml").write_text(yaml.safe_dump({"sources": {_SOURCE: connection}}), encoding="utf-8")
        self._session = ProjectSession.open(project)
        self._compiled = cache(self._compile)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()
        self._folder.cleanup()

    def views(self, board: Board) -> list[View]:
        """Draw a board for every value of its variable, in the order of its options; raises StepFailed."""
        return [self._view(board, value) for value in self._values(board)]

    def _values(self, board: Board) -> list[str | None]:
        """Return the values of the board's variable, from its rows, so that a new year needs no change here."""
        if board.variable is None:
            return [None]
        options = board.content["variables"][board.variable]["options"]
        path = Path("charts") / board.path.name
        found = self._session.query_board(options["query"], path, limit=_MOST_OPTIONS)
        if not found.success:
            raise StepFailed(f"board {board.name}: {one_line(Exception(str(found.errors)))}")
        return [row[options["column"]] for row in found.data] or [None]

    def _view(self, board: Board, value: str | None) -> View:
        read = self._render(board, board.path.read_text(encoding="utf-8"), value, "data")
        rows = {name: query["rows"] for name, query in read["queries"].items()}
        figures_of = {name: [_without_labels(row) for row in found] for name, found in rows.items()}
        alone = _uncompared(board, rows)
        shown = {screen.name: self._render(board, board.laid_out(screen, alone), value, "svg") for screen in SCREENS}
        pictures = {screen: name_colors(_DRAWN_AT.sub("", _named(picture, board))) for screen, picture in shown.items()}
        charts = {name: chart for name, chart in board.content["charts"].items() if chart["type"] != "kpi"}
        figures = {
            name: Figures(chart["title"], figures_of[chart["query"]], chart["type"] == "table", _shaded(chart))
            for name, chart in charts.items()
        }
        first = next((chart for chart in board.content["charts"].values() if chart["type"] == "kpi"), None)
        return View(value, pictures, figures, _figure(first, board.content["queries"], rows) if first else None)

    def _compile(self, content: str, name: str) -> tuple[Any, Any]:
        """Return a board for dbt-charts, and what it compiles to, for every value of its variable."""
        from dbt_charts.agent_api import InMemoryBoard
        from dbt_charts.core.compile import compile_file

        project: Any = self._session.project
        board = InMemoryBoard(content, path=project.path_for_fspath(project.root / "charts" / name))
        return board, compile_file(board)

    def _render(self, board: Board, content: str, value: str | None, form: Literal["svg", "data"]) -> Any:
        """Let dbt-charts draw or read a board; a chart that can't be drawn fails the whole board."""
        drawn, compiled = self._compiled(content, board.path.name)
        result = self._session.render_board(
            board=drawn,
            compile_result=compiled,
            variables={board.variable: value} if board.variable and value else {},
            format=form,
            use_cache=False,
            standalone=True,
        )
        faults = [*(result.validation_errors or []), *(result.chart_errors or []), *filter(None, [result.board_error])]
        if faults:
            raise StepFailed(f"board {board.name}: {one_line(Exception(faults[0].message))}")
        return result.data


def hover_script() -> str:
    """Return dbt-charts' script that shows a mark's figures under the pointer."""
    from dbt_charts.core.render.chart_interactivity import hover_runtime_source

    return hover_runtime_source()


def _kind(column: str, values: list[Any]) -> str:
    types = {type(value) for value in values if value is not None}
    if types and types <= {int, float}:
        if column.endswith("_id"):
            return "key"
        return "amount" if float in types else "count"
    return "moment" if types == {str} and all(MOMENT.fullmatch(value) for value in values if value) else "text"


def _shaded(chart: dict[str, Any]) -> tuple[str, ...]:
    columns = chart.get("style", {}).get("columns", {})
    return tuple(name for name, style in columns.items() if "scale" in style)


def _uncompared(board: Board, rows: dict[str, list[dict]]) -> frozenset[str]:
    """Return the figures whose value beside them is NULL."""
    compared = {name: chart for name, chart in board.content["charts"].items() if "support" in chart}
    return frozenset(
        name for name, chart in compared.items() if rows[chart["query"]][0][chart["support"]["value"]] is None
    )


def _without_labels(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row's figures: a column `…_label` holds only a mark's words."""
    return {column: value for column, value in row.items() if not column.endswith("_label")}


def _named(picture: str, board: Board) -> str:
    """Return a picture whose axes don't repeat the names of a chart's layers, which its legend has."""
    for chart in board.content["charts"].values():
        if "layers" in chart:
            every = ", ".join([chart["y_label"], *(layer["label"] for layer in chart["layers"])])
            picture = picture.replace(every, chart["y_label"])
    return picture


def _figure(chart: dict[str, Any], queries: dict[str, Any], rows: dict[str, list[dict]]) -> tuple[str, str]:
    value = rows[chart["query"]][0][chart["value"]]
    form = _FORMS.get(queries[chart["query"]].get("formats", {}).get(chart["value"]), "")
    return chart["label"], format(value, form) if isinstance(value, int | float) else str(value)


def _node(relation: str) -> dict[str, str]:
    schema, _, table = relation.partition(".")
    return {"resource_type": "model", "name": table, "schema": schema, "relation_name": f'"{schema}"."{table}"'}
