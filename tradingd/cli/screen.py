"""Tables, progress bars and SUMMARY lines for a person; plain text when the output is a pipe."""

import errno
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from tradingd.cli.narrow import narrow, natural_width


class _Terminal(Console):
    def on_broken_pipe(self) -> None:
        """Leave a reader that went away to the command line; rich would end with exit code 1."""
        raise BrokenPipeError(errno.EPIPE, "the reader went away")


def console() -> Console:
    """Return a console on standard output; wide enough that pipes never truncate a cell."""
    if sys.stdout.isatty():
        return _Terminal(highlight=False)
    return _Terminal(highlight=False, width=200, no_color=True)


def plain(text: str) -> str:
    """Return text with control characters spelled out: what a file says must not move the cursor.

    Tabs and line ends stay.
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one in "\n\t" else one.encode("unicode_escape").decode()
        for one in text
    )


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; columns whose cells are all numbers are right-aligned.

    On a terminal that is too narrow, what does not fit stands below its row. Cells and title are
    shown as they are: brackets in them are no markup.
    """
    out = console()
    title = plain(title)
    cells = [["" if cell is None else plain(str(cell)) for cell in row] for row in rows]
    right = [
        bool(rows) and all(_is_number(row[index]) for row in rows) for index in range(len(columns))
    ]
    if sys.stdout.isatty() and natural_width(columns, cells) > out.width:
        if title:
            out.print(Text(title, "italic"))
        for line in narrow(columns, cells, right, out.width):
            out.print(line)
        return
    grid = Table(
        title=Text(title, "table.title") if title else None,
        box=box.SIMPLE_HEAD,
        title_justify="left",
    )
    for column, numeric in zip(columns, right, strict=True):
        grid.add_column(
            Text(plain(column)), justify="right" if numeric else "left", overflow="fold"
        )
    for texts in cells:
        grid.add_row(*map(Text, texts))
    out.print(grid)


def _is_number(cell: object) -> bool:
    text = str(cell).replace(",", "").rstrip("%").strip()
    if text in ("", "None", "-"):
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True


def summary(values: Mapping[str, object]) -> None:
    """Print the one SUMMARY line that ends a batch: ``SUMMARY key=value key=value``."""
    sys.stdout.write(
        "SUMMARY " + " ".join(f"{key}={value}" for key, value in values.items()) + "\n"
    )


class Meter:
    """A progress bar's handle; silent when standard error is not a terminal."""

    def __init__(self, progress: Progress | None, label: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(label, total=total) if progress else None

    def advance(self, steps: int = 1, label: str | None = None) -> None:
        """Move forward; optionally show what is being worked on."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, steps)
            if label is not None:
                self._progress.update(self._task, description=label)

    def reached(self, done: int, total: int) -> None:
        """Show a position out of a total that is known by now."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, total=total)


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Meter]:
    """Show a progress bar on standard error while the block runs, if that is a terminal."""
    if not sys.stderr.isatty():
        yield Meter(None, label, total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Meter(bar, label, total)
