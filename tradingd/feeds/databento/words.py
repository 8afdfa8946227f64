"""Words about a session, queued among its records so that they are heard in their place."""

import msgspec

from tradingd.vendors.databento.live import Complaint


class Lost(msgspec.Struct, frozen=True):
    """A run of drops, of one symbol."""

    symbol: str
    count: int


class Mapped(msgspec.Struct, frozen=True):
    """A symbol is known; `before` is the number that its records bore until now, 0 for none."""

    symbol: str
    instrument: int
    before: int


class Complained(msgspec.Struct, frozen=True):
    """An error record."""

    about: Complaint
    text: str


class Beat(msgspec.Struct, frozen=True):
    """Nothing came up to the gateway's time `ts`."""

    ts: int


class Broken(msgspec.Struct, frozen=True):
    """The session is over; `ts` is our time of it."""

    ts: int
    why: str


type Word = Lost | Mapped | Complained | Beat | Broken
