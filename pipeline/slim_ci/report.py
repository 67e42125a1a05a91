"""Report a change's effect on the marts as Markdown for its pull request."""

from ingestion.digest import short_hash
from pipeline.slim_ci.changed import Built
from pipeline.slim_ci.comparison import Difference, Side
from pipeline.slim_ci.state import State

TITLE = "# What this change does to the marts"


def render_report(state: State, built: Built, differences: list[Difference], marts: int) -> str:
    """Return the report: what was built, errors, and each mart that differs."""
    lines = [TITLE, "", f"Held against `{state.commit[:12]}`, with the sample data of {state.run_date}.", ""]
    if built.relations:
        names = ", ".join(f"`{name}`" for name in built.relations)
        lines.append(f"Built {len(built.relations)}, as modified or standing on what is: {names}.")
    else:
        lines.append("Built no model: none is modified.")
    if built.tests:
        lines.append(f"Tests: {', '.join(f'{count} {status}' for status, count in sorted(built.tests.items()))}.")
    if not built.is_good:
        lines += ["", "**The build failed.**", "", *(f"- {line}" for line in built.troubled)]
    lines.append("")
    if differences:
        head = ["| mart | rows | columns | hash | what changed |", "|---|--:|--:|---|---|"]
        lines += [*head, *map(_row, differences), ""]
    lines.append(f"{marts - len(differences)} of {marts} marts are as they were.")
    return "\n".join(lines) + "\n"


def _row(difference: Difference) -> str:
    sides = difference.before, difference.after
    rows = _both(*(f"{side.rows:,}" if side else "–" for side in sides))
    columns = _both(*(str(len(side.columns)) if side else "–" for side in sides))
    hashes = _both(*(_short(side) for side in sides))
    words = difference.words.replace("|", "\\|")
    return f"| `{difference.mart}` | {rows} | {columns} | {hashes} | {words} |"


def _both(before: str, after: str) -> str:
    return after if before == after else f"{before} → {after}"


def _short(side: Side | None) -> str:
    return f"`{short_hash(side.content_hash)}`" if side else "–"
