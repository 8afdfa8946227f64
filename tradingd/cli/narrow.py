"""Lay out a table that is wider than the terminal: what fits stays in columns, the rest goes below.

Cells that wrap to a character a line cannot be read; so no cell wraps here.
"""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len
from rich.text import Text

_GAP: Final = 2
_INDENT: Final = 4
_LONG: Final = 24
"""Text longer than this reads better on a line of its own than in a column."""
_SHORT: Final = 10

type Rows = Sequence[Sequence[str]]


def natural_width(columns: Sequence[str], rows: Rows) -> int:
    """Return the characters a table takes with nothing wrapped, its frame included."""
    return sum(_widths(columns, rows)) + 3 * len(columns) + 1


def narrow(columns: Sequence[str], rows: Rows, right: Sequence[bool], width: int) -> Iterator[Text]:
    """Yield the lines of the table.

    Parameters
    ----------
    columns : sequence of str
        Their names.
    rows : sequence of sequences of str
        A cell a column.
    right : sequence of bool
        Which columns stand at the right, such as numbers.
    width : int
        Characters of the terminal.
    """
    widths = _widths(columns, rows)
    filled = [index for index in range(len(columns)) if any(row[index] for row in rows)]
    once = [index for index in filled if _same(index, rows, right)]
    kept = _fitting([index for index in filled if index not in once], widths, right, width)
    below = [index for index in filled if index not in kept and index not in once]
    if once:
        yield from _below(columns, rows[0], once, width, indent=0)
    yield _line(columns, kept, widths, right, "dim")
    for row in rows:
        yield _line(row, kept, widths, right, "")
        yield from _below(columns, row, below, width, indent=_INDENT)


def _same(index: int, rows: Rows, right: Sequence[bool]) -> bool:
    """Whether a column says the same in every row, so that it need be said only once."""
    first = rows[0][index]
    return (
        index > 0
        and not right[index]
        and len(rows) > 1
        and len(first) > _SHORT
        and all(row[index] == first for row in rows)
    )


def _below(
    columns: Sequence[str], row: Sequence[str], places: Sequence[int], width: int, indent: int
) -> Iterator[Text]:
    """Yield what stands below a row: short cells side by side, a long one on lines of its own."""
    stated = [f"{columns[index]}: {row[index]}" for index in places if row[index]]
    line = ""
    for text in stated:
        if line and cell_len(line) + cell_len(text) + 3 > width - indent:
            yield from _wrapped(line, width, indent)
            line = ""
        line = f"{line}   {text}" if line else text
    if line:
        yield from _wrapped(line, width, indent)


def _wrapped(line: str, width: int, indent: int) -> Iterator[Text]:
    room = max(width, indent + _LONG)
    for part in textwrap.wrap(
        line,
        room,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_on_hyphens=False,
    ):
        yield Text(part, "dim")


def _fitting(
    filled: Sequence[int], widths: Sequence[int], right: Sequence[bool], width: int
) -> list[int]:
    """Return the columns that stay: from the left, as many as fit, without long texts."""
    kept: list[int] = []
    room = width
    for index in filled:
        long = widths[index] > _LONG and not right[index] and bool(kept)
        if not long and widths[index] + _GAP <= room:
            kept.append(index)
            room -= widths[index] + _GAP
    return kept or list(filled[:1])


def _line(
    cells: Sequence[str],
    kept: Sequence[int],
    widths: Sequence[int],
    right: Sequence[bool],
    style: str,
) -> Text:
    parts = []
    for index in kept:
        blank = " " * (widths[index] - cell_len(cells[index]))
        parts.append(blank + cells[index] if right[index] else cells[index] + blank)
    line = Text((" " * _GAP).join(parts).rstrip(), style)
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _widths(columns: Sequence[str], rows: Rows) -> list[int]:
    return [
        max(cell_len(name), *(cell_len(row[index]) for row in rows)) if rows else cell_len(name)
        for index, name in enumerate(columns)
    ]
