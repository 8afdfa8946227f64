"""The terminal of a foreground session: a status panel that renews itself, or plain lines."""

import datetime as dt
import sys
import time
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tradingd.control.messages import Event, PositionView, Status

_NEW_YORK: Final = ZoneInfo("America/New_York")
_LINE_EVERY: Final = 10.0
_EVENTS: Final = 8
_TOLD: Final = frozenset(
    {"fill", "denied", "rejected", "unknown", "lost", "state", "limit", "health", "feed", "config"}
)
"""Kinds of events that a person watches a session for; every step is in the journal."""
_POSITIONS: Final = 8


class SessionScreen:
    """Shows a session while it runs; on a pipe it writes one line every ten seconds."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._last_line = 0.0

    def __enter__(self) -> "SessionScreen":
        if sys.stdout.isatty():
            self._live = Live(console=Console(highlight=False), auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(
        self, status: Status, positions: Sequence[PositionView], events: Sequence[Event]
    ) -> None:
        """Draw the present state."""
        if self._live is not None:
            self._live.update(_frame(status, positions, events), refresh=True)
        elif time.monotonic() - self._last_line > _LINE_EVERY:
            self._last_line = time.monotonic()
            sys.stdout.write(f"{when(status.data_time)}  {status.status_line}\n")
            sys.stdout.flush()


def _frame(
    status: Status, positions: Sequence[PositionView], events: Sequence[Event]
) -> RenderableType:
    return Group(
        _headline(status),
        _numbers(status),
        _positions(positions),
        *(Text(f"  {when(one.ts)}  {one.text}", style="dim") for one in _latest(events)),
        Text("  Ctrl-C stops it in order", style="dim italic"),
    )


def _latest(events: Sequence[Event]) -> Sequence[Event]:
    return [one for one in events if one.kind in _TOLD][-_EVENTS:]


def _headline(status: Status) -> Text:
    text = Text()
    text.append(f" {status.mode.upper()} ", style="bold reverse")
    text.append(f" {status.instance}  ", style="bold")
    text.append(status.state, style="bold green" if status.state == "RUNNING" else "bold red")
    text.append(f"  {status.phase}  {status.strategy}  ")
    text.append(status.feed, style="bold magenta" if status.synthetic else "")
    text.append(f"  {when(status.data_time)}")
    return text


def _numbers(status: Status) -> Table:
    grid = Table.grid(padding=(0, 2))
    cells = {
        "equity": status.equity,
        "day P&L": status.day_pnl,
        "drawdown": f"{status.drawdown_percent:.2f} %",
        "positions": status.positions,
        "orders": status.open_orders,
        "fills": status.fills,
        "health": status.health,
    }
    grid.add_row(*(Text(name, style="dim") for name in cells))
    grid.add_row(*(Text(str(value), style="bold") for value in cells.values()))
    return grid


def _positions(positions: Sequence[PositionView]) -> Table:
    grid = Table(box=None, padding=(0, 2))
    for name in ("symbol", "shares", "entry", "mark", "unrealised", "stop"):
        grid.add_column(name, justify="left" if name == "symbol" else "right", style="cyan")
    for one in positions[:_POSITIONS]:
        grid.add_row(
            one.symbol, str(one.quantity), one.entry_price, one.mark, one.unrealised, one.stop
        )
    if len(positions) > _POSITIONS:
        grid.add_row(f"... {len(positions) - _POSITIONS} more")
    return grid


def when(ts: int) -> str:
    """Return a data time in exchange time, or dashes before the first."""
    if ts <= 0:
        return "-" * 19
    moment = dt.datetime.fromtimestamp(ts / 1e9, tz=_NEW_YORK)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
