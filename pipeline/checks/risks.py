"""Write docs/risks.md: what the suites detect, by stage and table."""

import jinja2

from ingestion.files import write_atomically
from ingestion.settings import PROJECT
from pipeline.checks.data_docs import TEMPLATES
from pipeline.checks.suites import Check, Stage, read_suites

PAGE = PROJECT / "docs" / "risks.md"


def render_risks() -> str:
    """Return the page's text."""
    stages: dict[Stage, dict[str, list[Check]]] = {}
    for stage in Stage:
        for check in (check for suite in read_suites(stage) for check in suite.checks):
            place = "Every table" if check.table.startswith("raw_ops.") else f"`{check.table}`"
            stages.setdefault(stage, {}).setdefault(place, []).append(check)
    templates = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=False, trim_blocks=True)  # noqa: S701
    return templates.get_template("risks.md").render(stages=stages)


if __name__ == "__main__":
    write_atomically(PAGE, render_risks())
