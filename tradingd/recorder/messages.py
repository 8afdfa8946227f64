"""The message log: one JSON line a record while it runs, one JSON document when it is published.

The document's layout is ``contracts/schemas/l2-messages.v1.schema.json``.
"""

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from tradingd.domain.depth import DepthEvent
from tradingd.kits.atomicfile import replacing
from tradingd.level2.columns import PRICE_SCALE
from tradingd.level2.prices import UNIT

COLUMNS: Final = (
    "ts_recv",
    "ts_event",
    "sequence",
    "action",
    "side",
    "depth",
    "price",
    "size",
    "closes",
    "suspect",
)
_encode: Final = msgspec.json.Encoder().encode
_HALF: Final = UNIT // 2
_AT_ONCE: Final = 128
"""Messages encoded before the loop is let in: this thread must not hold the interpreter long."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a published log but its messages."""

    contract: str = "l2-messages"
    schema_version: str = "1.0.0"
    symbol: str
    day: dt.date
    source: str
    label: str
    began: int
    ended: int | None
    price_scale: int = PRICE_SCALE
    columns: tuple[str, ...] = COLUMNS


def encoded(events: Sequence[DepthEvent]) -> bytes:
    """Return one line of JSON a record; meant for the writer's thread."""
    lines: list[bytes] = []
    for start in range(0, len(events), _AT_ONCE):
        rows = [_cells(one) for one in events[start : start + _AT_ONCE]]
        # One call for many rows; nothing but the border of two rows looks like one.
        lines.append(_encode(rows)[1:-1].replace(b"],[", b"]\n["))
        # Gives up the interpreter's lock: else the loop waits the switch interval for it.
        time.sleep(0)
    lines.append(b"")
    return b"\n".join(lines)


def _cells(event: DepthEvent) -> tuple[Any, ...]:
    price = event.price
    return (
        event.ts_recv,
        event.ts_event,
        event.sequence,
        event.action,
        event.side,
        event.depth,
        # Venues print finer at times (midpoint); a log of books needs no more than their unit.
        None if price is None else (price + _HALF) // UNIT,
        event.size,
        event.closes,
        event.suspect,
    )


def whole_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a log that were written whole: a sudden death may cut the last."""
    with path.open("rb") as log:
        for line in log:
            if line.endswith(b"]\n"):
                yield line[:-1]


def publish(log: Path, target: Path, header: Header) -> int:
    """Write the published document from the lines; return the number of messages.

    Raises
    ------
    OSError
        The disk is full or the folder cannot be written; the lines are untouched.
    """
    count = 0
    head = msgspec.json.encode(header)
    with replacing(target) as temporary, temporary.open("wb") as out:
        out.write(head[:-1] + b',"messages":[')
        for line in whole_lines(log):
            out.write(b",\n" if count else b"\n")
            out.write(line)
            count += 1
            if count % 4_096 == 0:
                time.sleep(0)
        out.write(b"\n]}\n")
    return count
