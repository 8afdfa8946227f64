"""The terminal of a foreground session: a status panel that renews itself, or plain lines."""

import datetime as dt
import sys
import time
from collections.abc import Sequence
from typing import Final, Literal
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tradingd.cli.control_format import clean, label, money, signed
from tradingd.cli.control_render import GRADE_STYLE, STATE_STYLE
from tradingd.control.answers import Event, PositionView, Status

_NEW_YORK: Final = ZoneInfo("America/New_York")
_LINE_EVERY: Final = 10.0
_EVENTS: Final = 8
_TOLD: Final = frozenset(
    {"fill", "denied", "rejected", "unknown", "lost", "state", "limit", "health", "feed", "config"}
)
"""Kinds of events that a person watches a session for; every step is in the journal."""
_TROUBLE: Final = frozenset({"denied", "rejected", "unknown", "lost", "health"})
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
            self._live.update(Text(" starting; Ctrl-C calls it off", "dim"), refresh=True)
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
        _what(status),
        Text(),
        _numbers(status),
        Text(),
        _positions(positions),
        Text(),
        *(_event(one) for one in _latest(events)),
        _line((f" Ctrl-C stops it in order; more: tradingctl -i {status.instance} top", "dim")),
    )


def _latest(events: Sequence[Event]) -> Sequence[Event]:
    return [one for one in events if one.kind in _TOLD][-_EVENTS:]


def _headline(status: Status) -> Text:
    live = status.mode == "live"
    return _line(
        (f" {clean(status.instance)} ", "bold reverse"),
        (f" {label(status.mode, status.synthetic)} ", "bold white on red" if live else "bold cyan"),
        (f" {status.state} ", STATE_STYLE.get(status.state, "bold") + " reverse"),
        f"  {when(status.data_time)} ET",
        "" if status.session_open else " closed",
    )


def _what(status: Status) -> Text:
    return _line((f" {clean(status.strategy)} on {clean(status.feed)}, {status.phase}", "dim"))


def _numbers(status: Status) -> Table:
    grid = Table.grid(padding=(0, 2), pad_edge=False)
    gain = "red" if status.day_pnl.startswith("-") else "green"
    cells = {
        " equity": Text(f" {money(status.equity)}", "bold"),
        "day P&L": Text(signed(status.day_pnl), gain),
        "drawdown": Text(f"{status.drawdown_percent:.2f} %"),
        "positions": Text(str(status.positions)),
        "orders": Text(str(status.open_orders)),
        "fills": Text(str(status.fills)),
        "health": Text(status.health, GRADE_STYLE.get(status.health, "bold")),
    }
    for name in cells:
        # Money grows to the left of its point; a column that jumps cannot be read while it moves.
        grid.add_column(justify="right", min_width=len(name), no_wrap=True, overflow="ellipsis")
    grid.add_row(*(Text(name, style="dim") for name in cells))
    grid.add_row(*cells.values())
    return grid


def _positions(positions: Sequence[PositionView]) -> RenderableType:
    if not positions:
        return Text(" no positions", "dim")
    grid = Table(box=None, padding=(0, 1), header_style="dim")
    for name in ("symbol", "shares", "entry", "mark", "unrealised", "stop"):
        side: Literal["left", "right"] = "left" if name == "symbol" else "right"
        grid.add_column(name, justify=side, no_wrap=True, overflow="ellipsis")
    for one in positions[:_POSITIONS]:
        grid.add_row(
            clean(one.symbol),
            f"{one.quantity:,}",
            money(one.entry_price),
            money(one.mark),
            Text(signed(one.unrealised), "red" if one.unrealised.startswith("-") else "green"),
            Text(money(one.stop)) if one.stop else Text("NONE", "bold red"),
        )
    if len(positions) > _POSITIONS:
        grid.add_row(f"{len(positions) - _POSITIONS} more")
    return grid


def _event(one: Event) -> Text:
    style = "bold yellow" if one.kind in _TROUBLE else ""
    return _line((f" {when(one.ts)[5:16]} ", "dim"), (clean(one.text), style))


def _line(*parts: str | tuple[str, str]) -> Text:
    """Return one line that is cut where the screen ends, not wrapped: nothing below it jumps."""
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def when(ts: int) -> str:
    """Return a data time in exchange time, or dashes before the first."""
    if ts <= 0:
        return "-" * 19
    moment = dt.datetime.fromtimestamp(ts / 1e9, tz=_NEW_YORK)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
