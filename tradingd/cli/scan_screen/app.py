"""The full-screen application; it draws what the desk knows and passes keys on."""

import asyncio
import datetime as dt
import os
import signal
from contextlib import suppress
from typing import ClassVar, Final

import msgspec
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.css.query import NoMatches
from textual.notifications import SeverityLevel
from textual.widgets import DataTable, Footer, Input, Static

from tradingd.app.desk import Desk
from tradingd.cli.scan_run import COLUMNS, cells
from tradingd.cli.scan_screen.recorder_panel import panel
from tradingd.config.scan import ScanConfig
from tradingd.domain.market import NANOSECONDS
from tradingd.kits.failure import ExitCode, Failure
from tradingd.scanner.row import Scan, ScanRow
from tradingd.scanner.words import EXAMPLE, Words, understood
from tradingd.session.calendar import NEW_YORK

_SORTS = ("gap", "relative_volume", "volume", "price", "symbol")
_SORTED = {
    "gap": "gap %",
    "relative_volume": "rel. volume",
    "volume": "volume",
    "price": "last",
    "symbol": "symbol",
}
_MARK = "●"
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
"""What ends the screen as q does."""


class ScanApp(App[None]):
    """Table, filter, recorder.

    Parameters
    ----------
    desk : Desk
        The scan and the recorder, not yet started.
    limits : ScanConfig
        Group `scan`: the limits that a typed filter starts from.
    refresh : float
        Seconds between two looks.
    """

    CSS = """
    #title { height: 1; padding: 0 1; background: $primary-background; }
    #rows { height: 1fr; }
    #recorder { height: auto; max-height: 40%; padding: 0 1; border-top: solid $primary; }
    #recorder { overflow-y: auto; }
    #filter { display: none; }
    #filter.open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "sort"),
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("space", "mark", "mark"),
        Binding("r", "record", "record"),
        Binding("x", "release", "stop recording"),
        Binding("escape", "unfilter", "all", show=False),
        Binding("q", "leave", "quit"),
        Binding("ctrl+c", "leave", show=False, priority=True),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, desk: Desk, limits: ScanConfig, refresh: float = 0.5) -> None:
        super().__init__()
        self.failure: Exception | None = None
        """Why the screen ended, when it did not end because somebody wanted it to."""
        self.desk = desk
        self._base = limits
        self._words = Words(limits=limits)
        self._text = ""
        self._refresh = refresh
        self._marked: set[str] = set()
        self._shown: list[str] = []
        self._drawn: dict[tuple[str, str], str] = {}
        self._gone = False
        self._leaving: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None

    def compose(self) -> ComposeResult:
        """Lay the parts out."""
        yield Static(id="title")
        yield DataTable(id="rows", cursor_type="row", zebra_stripes=True)
        yield Vertical(Static(id="panel"), id="recorder")
        yield Input(placeholder=EXAMPLE, id="filter")
        yield Footer()

    def on_mount(self) -> None:
        """Start the desk beside the screen, and look at it from now on."""
        loop = asyncio.get_running_loop()
        for one in _SIGNALS:
            loop.add_signal_handler(one, self.leave)
        loop.add_signal_handler(signal.SIGHUP, self._terminal_is_gone)
        table = self._table()
        table.add_column(" ", key="mark")
        for name in COLUMNS:
            table.add_column(name, key=name)
        table.focus()
        self.query_one("#title", Static).update("opening the feeds")
        self._starting = asyncio.create_task(self._start(), name="screen start")

    def look(self) -> None:
        """Draw what is known now; the cursor stays on its symbol."""
        scan = self.desk.scan.table(self._words.limits)
        rows = [one for one in scan.rows if one.symbol.startswith(self._words.prefix)]
        self.query_one("#title", Static).update(self._title(scan, len(rows)))
        self._fill(rows)
        content = panel(self.desk.view(), self.desk.troubles)
        self.query_one("#panel", Static).update(content)

    # -- keys ------------------------------------------------------------------------------------

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._sort(_SORTS[(_SORTS.index(self._words.limits.sort) + 1) % len(_SORTS)])

    def action_filter(self) -> None:
        """Open the line for the filter."""
        line = self.query_one("#filter", Input)
        line.add_class("open")
        line.value = self._text
        line.focus()

    def action_unfilter(self) -> None:
        """Close the filter's line; it stays as it was."""
        self.query_one("#filter", Input).remove_class("open")
        self._table().focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Apply what was typed, or say which word is not understood."""
        try:
            self._words = understood(event.value, self._base)
        except Failure as failure:
            self._say(f"not understood: {failure.found}", severity="error")
            return
        self._text = event.value
        self.action_unfilter()
        self.look()

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor."""
        if symbol := self._under_cursor():
            self._marked ^= {symbol}
            self.look()
            self._table().action_cursor_down()

    def action_record(self) -> None:
        """Record the marked rows, or the one under the cursor; those beyond the slots wait."""
        # Marks count though a filter hides their rows by now.
        hidden = sorted(self._marked.difference(self._shown))
        symbols = [*(one for one in self._shown if one in self._marked), *hidden]
        for symbol in symbols or [self._under_cursor()]:
            if symbol:
                self._say(self.desk.record(symbol))
        self._marked.clear()
        self.look()

    async def action_release(self) -> None:
        """Stop recording the symbol under the cursor."""
        if symbol := self._under_cursor():
            self._say(await self.desk.release(symbol))
            self.look()

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the column that was clicked."""
        column = event.column_key.value
        by = next((name for name, shown in _SORTED.items() if shown == column), None)
        if by is None:
            self._say(f"sorted by one of: {', '.join(_SORTED.values())}", severity="warning")
        else:
            self._sort(by)

    async def action_leave(self) -> None:
        """End the recorder in order, then the screen."""
        await asyncio.shield(self.leave())

    def leave(self) -> asyncio.Task[None]:
        """Begin the end, once; return the task that brings it about."""
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave(), name="screen end")
        return self._leaving

    # -- private ---------------------------------------------------------------------------------

    def _terminal_is_gone(self) -> None:
        self._gone = True
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        os.close(nowhere)
        self.leave()

    async def _start(self) -> None:
        try:
            await self.desk.start()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - told when the terminal is a terminal again
            self.failure = error
            self.leave()
            return
        self.look()
        self.set_interval(self._refresh, self.look)

    async def _leave(self) -> None:
        with suppress(NoMatches):
            self.query_one("#title", Static).update("stopping: what was recorded is published")
        try:
            if self._starting is not None and self._starting is not asyncio.current_task():
                self._starting.cancel()
                await asyncio.wait([self._starting])
            await self.desk.stop()
        except Exception as error:  # noqa: BLE001 - told when the terminal is a terminal again
            self.failure = self.failure or error
        self.failure = self.failure or self.desk.fault
        if self._gone:
            # Nothing is left to restore, and who waits for a closed terminal waits for ever.
            os._exit(ExitCode.OK if self.failure is None else ExitCode.UNCLEAN_STOP)
        self.exit()

    def _sort(self, by: str) -> None:
        self._base = msgspec.structs.replace(self._base, sort=by)
        self._words = understood(self._text, self._base)
        self.look()

    def _say(self, text: str, severity: SeverityLevel = "information") -> None:
        # Symbols and what a person types are no markup.
        self.notify(text, severity=severity, markup=False)

    def _table(self) -> DataTable[Text | str]:
        return self.query_one("#rows", DataTable)

    def _under_cursor(self) -> str:
        row = self._table().cursor_row
        return self._shown[row] if 0 <= row < len(self._shown) else ""

    def _fill(self, rows: list[ScanRow]) -> None:
        table = self._table()
        before = self._under_cursor()
        symbols = [one.symbol for one in rows]
        if symbols == self._shown:
            self._update(table, rows)
            return
        table.clear()
        self._drawn = {}
        for one in rows:
            table.add_row(self._mark(one.symbol), *self._cells(one), key=one.symbol)
        self._shown = symbols
        if before in symbols:
            table.move_cursor(row=symbols.index(before))

    def _update(self, table: DataTable[Text | str], rows: list[ScanRow]) -> None:
        for one in rows:
            found = (Text(self._mark(one.symbol)), *self._cells(one))
            for name, cell in zip(("mark", *COLUMNS), found, strict=True):
                if self._drawn.get((one.symbol, name)) != cell.plain:
                    self._drawn[one.symbol, name] = cell.plain
                    table.update_cell(one.symbol, name, cell)

    def _cells(self, row: ScanRow) -> tuple[Text, ...]:
        found = []
        for name, cell in zip(COLUMNS, cells(row), strict=True):
            number = name not in ("symbol", "bar")
            found.append(Text(cell, justify="right" if number else "left", style=_style(name, row)))
        return tuple(found)

    def _mark(self, symbol: str) -> str:
        return _MARK if symbol in self._marked else " "

    def _title(self, scan: Scan, shown: int) -> Text:
        moment = dt.datetime.fromtimestamp(scan.at // NANOSECONDS, tz=NEW_YORK)
        when = f"{moment:%Y-%m-%d %H:%M} New York" if scan.at else "waiting for the first bar"
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"{scan.label}  ", style="bold red" if scan.synthetic else "bold")
        text.append(f"{when}  ")
        text.append(f"{shown} of {scan.seen} symbols, by {_SORTED[self._words.limits.sort]}")
        if self._text:
            text.append(f"  filter: {self._text}", style="italic")
        return text


def _style(column: str, row: ScanRow) -> str:
    if column == "gap %" and row.gap_percent is not None:
        return "green" if row.gap_percent >= 0 else "red"
    return "bold" if column == "symbol" else ""
