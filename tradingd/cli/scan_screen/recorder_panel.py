"""The lower part of the screen: slots, line, what is written, what went wrong."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tradingd.recorder.view import RecorderView, StreamView

_TROUBLES = 3


def panel(view: RecorderView | None, troubles: Sequence[str]) -> RenderableType:
    """Return the panel's content."""
    told = [Text(f"! {one}", style="bold yellow", overflow="fold") for one in troubles[-_TROUBLES:]]
    if view is None:
        nothing = Text("nothing is recorded: no order books (depth=none)", style="dim")
        return Group(nothing, *told)
    return Group(_state(view), _streams(view), _line(view), *told)


def _state(view: RecorderView) -> Text:
    dropped = view.dropped_feed + view.dropped_rows + view.dropped_messages
    parts = [
        (f"{view.label}  ", "bold"),
        (f"slots {len(view.recording)}/{view.slots}  ", ""),
        (f"events {view.events:,}  rows {view.rows:,}  ", ""),
        (f"in memory {view.buffered:,}/{view.buffer_limit:,}  ", ""),
        (f"dropped {dropped:,}  ", "bold red" if dropped else ""),
        (f"disk: {view.disk}" if view.disk else "", "bold red"),
    ]
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def _streams(view: RecorderView) -> Table:
    table = Table(box=None, pad_edge=False, expand=False)
    for name in ("recording", "events", "rows", "late", "gaps", "book"):
        table.add_column(name, justify="left" if name in ("recording", "book") else "right")
    for one in view.recording:
        table.add_row(
            one.symbol,
            f"{one.events:,}",
            f"{one.rows:,}",
            f"{one.late:,}",
            f"{one.gaps:,}",
            _book(one),
        )
    return table


def _book(one: StreamView) -> str:
    if not one.last_ts:
        return "waiting for the first state"
    return one.trouble or "sound"


def _line(view: RecorderView) -> Text:
    waiting = ", ".join(view.queue) or "nobody"
    text = Text(f"in line  {waiting}", overflow="fold")
    for symbol, why in view.refused.items():
        text.append(f"\nrefused  {symbol}: {why}", style="yellow")
    return text
