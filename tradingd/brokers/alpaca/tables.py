"""The tables of ORDERS.md, made from the rules: a test compares them, so they cannot drift.

`python -m tradingd.brokers.alpaca.tables` writes the document anew.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tradingd.brokers.alpaca.bodies import TYPES
from tradingd.brokers.alpaca.rules import kind_refusal
from tradingd.domain.broker_requests import OrderClass, TimeInForce
from tradingd.domain.orders import OrderType

DOCUMENT: Final = Path(__file__).with_name("ORDERS.md")
BEGIN: Final = "<!-- made by tradingd.brokers.alpaca.tables, do not edit -->"
END: Final = "<!-- end of what is made -->"

SESSIONS: Final = ("pre-market", "regular", "after-hours", "overnight")
"""4:00-9:30, 9:30-16:00, 16:00-20:00, 20:00-4:00, New York."""

_RESTING: Final = {
    "pre-market": "waits for the open",
    "regular": "works",
    "after-hours": "waits for the next open",
    "overnight": "waits for the next open",
}
_AT: Final[dict[TimeInForce, dict[str, str]]] = {
    TimeInForce.DAY: _RESTING,
    TimeInForce.GTC: _RESTING,
    TimeInForce.OPG: {
        "pre-market": "next open; Alpaca refuses from 9:28",
        "regular": "Alpaca refuses",
        "after-hours": "next open, from 19:00; Alpaca refuses before",
        "overnight": "next open",
    },
    TimeInForce.CLS: {
        "pre-market": "next close",
        "regular": "close; Alpaca refuses from 15:50",
        "after-hours": "next close, from 19:00; Alpaca refuses before",
        "overnight": "next close",
    },
    TimeInForce.IOC: {"regular": "at once or canceled"},
    TimeInForce.FOK: {"regular": "all at once or canceled"},
}
_ELSE: Final = "left to Alpaca"


def markdown() -> str:
    """Return the tables."""
    parts = [
        "## By class",
        _table(("type", "time in force", *OrderClass, "extended hours"), _by_class()),
        "## By session in which it is sent",
        _table(("type", "time in force", "extended hours", *SESSIONS), _by_session()),
    ]
    return "\n\n".join(parts)


def written(document: str) -> str:
    """Return a document with the tables in their place."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{markdown()}\n\n{END}{after}"


def _by_class() -> Iterable[Sequence[str]]:
    for kind in OrderType:
        for time in TimeInForce:
            classes = [_says(kind, time, one, extended=False) for one in OrderClass]
            extended = _says(kind, time, OrderClass.SIMPLE, extended=True)
            yield (f"{kind} (`{TYPES[kind]}`)", time, *classes, extended)


def _by_session() -> Iterable[Sequence[str]]:
    for kind in OrderType:
        for time in TimeInForce:
            for extended in (False, True):
                if kind_refusal(kind, time, OrderClass.SIMPLE, extended=extended) is None:
                    cells = [_at(time, session, extended=extended) for session in SESSIONS]
                    yield (kind, time, "yes" if extended else "no", *cells)


def _says(kind: OrderType, time: TimeInForce, one: OrderClass, *, extended: bool) -> str:
    reason = kind_refusal(kind, time, one, extended=extended)
    return "yes" if reason is None else f"refused: {reason}"


def _at(time: TimeInForce, session: str, *, extended: bool) -> str:
    return "works" if extended else _AT[time].get(session, _ELSE)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))
