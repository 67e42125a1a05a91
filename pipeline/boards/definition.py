"""Read `dashboards/*.yml`, and lay a board out for a screen."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from ingestion.settings import PROJECT

DASHBOARDS = PROJECT / "dashboards"
# dbt-charts' file for the common settings of a folder's boards.
_COMMON = "meta.yml"
_REF = re.compile(r"\{\{\s*ref\('(\w+)'\)\s*\}\}")


@dataclass(frozen=True)
class Screen:
    """A board width in CSS pixels; dbt-charts draws at one width and scales."""

    name: str
    width: int
    is_narrow: bool


SCREENS = (Screen("wide", 1120, False), Screen("narrow", 390, True))
# The boards' theme; the dark scheme is derived from its colours.
_THEME = "./themes/light.yml"


@dataclass(frozen=True)
class Board:
    """A board's file: YAML in dbt-charts' format, with SQL on ref()."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def page(self) -> str:
        """Its page below the home's `reports`."""
        return f"boards/{self.name}.html"

    @cached_property
    def content(self) -> dict:
        return yaml.safe_load(self.path.read_text(encoding="utf-8"))

    @property
    def title(self) -> str:
        return self.content["title"]

    @property
    def refs(self) -> set[str]:
        """The models in its queries."""
        return set(_REF.findall(self.path.read_text(encoding="utf-8")))

    @property
    def variable(self) -> str | None:
        """The variable that a reader may set, None on a board without one."""
        return next(iter(self.content.get("variables", {})), None)

    def laid_out(self, screen: Screen, uncompared: frozenset[str] = frozenset()) -> str:
        """Return the YAML of its charts, in one column on a narrow screen.

        The `uncompared` figures have nothing to stand beside, such as the year before the first.

        Tables are left out, because dbt-charts draws 20 pages of a table and drops the other rows. The title is the
        page's heading.
        """
        charts = {name: chart for name, chart in self.content["charts"].items() if chart["type"] != "table"}
        charts |= {name: {key: charts[name][key] for key in charts[name] if key != "support"} for name in uncompared}
        kept = dict(self.content, charts=charts, rows=_laid_out(self.content["rows"], charts, screen))
        del kept["title"]
        kept |= {
            "extends": _THEME,
            "style": self.content.get("style", {}) | {"frame": {"width": screen.width}},
        }
        return yaml.safe_dump(kept, sort_keys=False)


def read_boards() -> list[Board]:
    """Return every board, sorted by name."""
    return [Board(path) for path in sorted(DASHBOARDS.glob("*.yml")) if path.name != _COMMON]


def _laid_out(items: list, charts: dict, screen: Screen) -> list:
    rows: list[str | dict] = []
    for item in items:
        if isinstance(item, str):
            rows += [item] if item in charts else []
            continue
        side_by_side = [name for name in item["cols"] if name in charts]
        if not screen.is_narrow:
            rows.append({"cols": side_by_side})
        elif all(charts[name]["type"] == "kpi" for name in side_by_side):
            rows += [{"cols": side_by_side[first : first + 2]} for first in range(0, len(side_by_side), 2)]
        else:
            rows += side_by_side
    return rows
