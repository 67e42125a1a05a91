"""Print rows as a table that fits the terminal, or one field a line where none would."""

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestion.redact import show_text
from pipeline.cli.json_values import plain_text

_GAP = 2
_FIELD = 1000
# The longest text of a cell.
CELL = 60


def print_table(
    rows: Sequence[Sequence[object]], columns: Sequence[str], console: Console, longest: int = CELL
) -> None:
    """Print rows; text may wrap and end at `longest`, but a number, a date or a column's name is never cut."""
    texts = [[Text(show_text(plain_text(value), longest)) for value in row] for row in rows]
    names = [Text(show_text(name)) for name in columns]
    is_text = [any(isinstance(row[place], str) for row in rows) for place in range(len(names))]
    cells = [[name, *(row[place] for row in texts)] for place, name in enumerate(names)]
    widths = _fitting(cells, is_text, console.width)
    if widths is None:
        _print_fields(rows, names, console)
        return
    table = Table(box=None, pad_edge=False)
    for place, (name, width) in enumerate(zip(names, widths, strict=True)):
        is_number = _are_numbers([row[place] for row in rows])
        table.add_column(name, width=width, justify="right" if is_number else "left", overflow="fold")
    for row in texts:
        table.add_row(*row)
    console.print(table)


def _print_fields(rows: Sequence[Sequence[object]], names: list[Text], console: Console) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for number, row in enumerate(rows, 1):
        table.add_row(Text(f"row {number}", "bold"))
        for name, value in zip(names, row, strict=True):
            table.add_row(name, Text(show_text(plain_text(value), _FIELD)))
    console.print(table)


def _fitting(cells: list[list[Text]], is_text: list[bool], width: int) -> list[int] | None:
    """Return widths for the columns that fill the width at most, None if there are none."""
    whole = [max(cell.cell_len for cell in column) for column in cells]
    widths = [
        max(column[0].cell_len, *(_longest_word(cell) for cell in column)) if wraps else full
        for column, wraps, full in zip(cells, is_text, whole, strict=True)
    ]
    spare = width - sum(widths) - _GAP * (len(widths) - 1)
    while spare > 0 and (narrow := [place for place, full in enumerate(whole) if widths[place] < full]):
        widths[min(narrow, key=widths.__getitem__)] += 1
        spare -= 1
    return widths if spare >= 0 else None


def _longest_word(cell: Text) -> int:
    return max((word.cell_len for word in cell.split(" ")), default=0)


def _are_numbers(values: list[object]) -> bool:
    kinds = {type(value) for value in values if value is not None}
    return bool(kinds) and kinds <= {int, float, Decimal}
