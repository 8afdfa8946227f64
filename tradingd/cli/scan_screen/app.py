"""The full-screen application; it draws what the desk knows and passes keys on."""

import datetime as dt
from typing import ClassVar

import msgspec
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import DataTable, Footer, Input, Static

from tradingd.app.desk import Desk
from tradingd.cli.scan_run import COLUMNS, cells
from tradingd.cli.scan_screen.recorder_panel import panel
from tradingd.config.scan import ScanConfig
from tradingd.domain.market import NANOSECONDS
from tradingd.kits.failure import Failure
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
        self.failure: Failure | None = None
        self.desk = desk
        self._base = limits
        self._words = Words(limits=limits)
        self._text = ""
        self._refresh = refresh
        self._marked: set[str] = set()
        self._shown: list[str] = []

    def compose(self) -> ComposeResult:
        """Lay the parts out."""
        yield Static(id="title")
        yield DataTable(id="rows", cursor_type="row", zebra_stripes=True)
        yield Vertical(Static(id="panel"), id="recorder")
        yield Input(placeholder=EXAMPLE, id="filter")
        yield Footer()

    async def on_mount(self) -> None:
        """Start the desk and look at it from now on."""
        table = self._table()
        table.add_column(" ", key="mark")
        for name in COLUMNS:
            table.add_column(name, key=name)
        table.focus()
        try:
            await self.desk.start()
        except Failure as failure:
            self.failure = failure
            await self.action_leave()
            return
        self.look()
        self.set_interval(self._refresh, self.look)

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
        limits = self._words.limits
        after = _SORTS[(_SORTS.index(limits.sort) + 1) % len(_SORTS)]
        self._base = msgspec.structs.replace(self._base, sort=after)
        self._words = understood(self._text, self._base)
        self.look()

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
            self.notify(f"not understood: {failure.found}", severity="error")
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
        symbols = [one for one in self._shown if one in self._marked]
        for symbol in symbols or [self._under_cursor()]:
            if symbol:
                self.notify(self.desk.record(symbol))
        self._marked.clear()
        self.look()

    async def action_release(self) -> None:
        """Stop recording the symbol under the cursor."""
        if symbol := self._under_cursor():
            self.notify(await self.desk.release(symbol))
            self.look()

    async def action_leave(self) -> None:
        """End the recorder in order, then the screen."""
        self.query_one("#title", Static).update("stopping: what was recorded is published")
        await self.desk.stop()
        self.exit()

    # -- private ---------------------------------------------------------------------------------

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
        for one in rows:
            table.add_row(self._mark(one.symbol), *self._cells(one), key=one.symbol)
        self._shown = symbols
        if before in symbols:
            table.move_cursor(row=symbols.index(before))

    def _update(self, table: DataTable[Text | str], rows: list[ScanRow]) -> None:
        for one in rows:
            table.update_cell(one.symbol, "mark", self._mark(one.symbol))
            for name, cell in zip(COLUMNS, self._cells(one), strict=True):
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
