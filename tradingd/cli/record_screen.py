"""The terminal of a recording: a table that renews itself on standard error, or plain lines."""

import sys
import time
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tradingd.cli.control_format import clean
from tradingd.cli.session_screen import when
from tradingd.domain.alerts import Alert, Severity
from tradingd.recorder.view import RecorderView

_LINE_EVERY: Final = 10.0
_QUEUE: Final = 10


class RecordScreen:
    """Shows a recording while it runs; on a pipe it writes one line every ten seconds."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._last_line = time.monotonic()
        self._last: tuple[float, int] | None = None

    def __enter__(self) -> "RecordScreen":
        if sys.stderr.isatty():
            console = Console(stderr=True, highlight=False)
            self._live = Live(console=console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, view: RecorderView) -> None:
        """Draw the present state."""
        if self._live is not None:
            self._live.update(_frame(view, self._rate(view)), refresh=True)
        elif time.monotonic() - self._last_line > _LINE_EVERY:
            self._last_line = time.monotonic()
            sys.stderr.write(f"{when(view.data_time)}  {_line(view, self._rate(view))}\n")
            sys.stderr.flush()

    def tell(self, alert: Alert) -> None:
        """Write an alert above the table."""
        words = f"{alert.title}: {alert.body}" if alert.body else alert.title
        style = "bold red" if alert.severity is Severity.PAGE else "yellow"
        if self._live is not None:
            self._live.console.print(Text(f" {clean(words)}", "" if alert.resolved else style))
        else:
            sys.stderr.write(f"tradingd record depth: {clean(words)}\n")

    def _rate(self, view: RecorderView) -> float:
        now, before = time.monotonic(), self._last
        self._last = (now, view.events)
        if before is None or now <= before[0]:
            return 0.0
        return max(0.0, (view.events - before[1]) / (now - before[0]))


def _frame(view: RecorderView, rate: float) -> RenderableType:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for name in ("symbol", "events", "snapshots", "late", "gaps", "last snapshot", "book"):
        right = name not in ("symbol", "last snapshot", "book")
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for one in view.recording:
        table.add_row(
            clean(one.symbol),
            f"{one.events:,}",
            f"{one.rows:,}",
            f"{one.late:,}",
            f"{one.gaps:,}",
            when(one.last_ts)[11:],
            one.trouble,
        )
    head = Text(f" {clean(view.label)}  {when(view.data_time)} ET", "bold", no_wrap=True)
    foot = Text(f" {_line(view, rate)}", "dim", no_wrap=True, overflow="ellipsis")
    parts: list[RenderableType] = [head, table, foot]
    if view.queue:
        more = f" and {len(view.queue) - _QUEUE} more" if len(view.queue) > _QUEUE else ""
        parts.append(Text(f" in line: {clean(', '.join(view.queue[:_QUEUE]))}{more}", no_wrap=True))
    if view.disk:
        parts.append(Text(f" disk: {clean(view.disk)}", "bold red", no_wrap=True))
    return Group(*parts, Text(" Ctrl-C stops it in order", "dim"))


def _line(view: RecorderView, rate: float) -> str:
    dropped = view.dropped_feed + view.dropped_rows + view.dropped_messages
    flushed = f"{view.flushed_ago:.0f} s ago" if view.flushed_ago >= 0 else "not yet"
    return (
        f"streams {len(view.recording)}/{view.slots}  in line {len(view.queue)}  "
        f"snapshots {view.rows:,}  events {rate:,.0f}/s  dropped {dropped:,}  "
        f"waiting {view.buffered:,}  written {flushed}"
    )
