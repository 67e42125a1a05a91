"""Write the columns' lineage as a page of our own."""

from dataclasses import asdict
from pathlib import Path

from pipeline.dbt.lineage import Table
from pipeline.dbt.project import find_answer
from pipeline.pages import Pages

LINEAGE_PAGE = "lineage/index.html"
_SHOWN = ("name", "kind", "about", "reads", "columns")


def write_lineage(reports: Path, tables: list[Table]) -> None:
    """Write the page; it opens on the answer, or in a project without one on the first model."""
    answer = find_answer()
    opened = answer.relation.partition(".")[2] if answer else None
    if opened not in {table.name for table in tables}:
        opened = next(table.name for table in tables if table.kind == "model")
    shown = [{name: asdict(table)[name] for name in _SHOWN} for table in tables]
    Pages(reports, Path(__file__).with_name("templates")).write(
        LINEAGE_PAGE, "lineage.html", tables=shown, opened=opened
    )
