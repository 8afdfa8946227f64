"""Messages of Alpaca's data stream, decoded into typed structs; what cannot be read is counted.

Frames are arrays, MessagePack (asked for: a third less time than JSON here, exact times) or JSON.
Both carry prices as doubles, which `convert` turns back into the decimals they stand for. Fields
we do not use are not decoded, and new ones do not matter.
"""

from collections import Counter
from typing import Any, Final

import msgspec
from msgspec.msgpack import Ext

type Time = Ext | str
"""A MessagePack timestamp or RFC 3339 text, with nanoseconds."""


class BarMessage(msgspec.Struct, tag_field="T", tag="b", gc=False):
    """A minute bar; `t` is its start."""

    S: str
    o: float
    h: float
    l: float  # noqa: E741 - Alpaca's name
    c: float
    v: float
    t: Time


class DailyBarMessage(BarMessage, tag_field="T", tag="d", gc=False):
    """The day's bar so far, told after each minute; `t` is New York midnight."""


class UpdatedBarMessage(BarMessage, tag_field="T", tag="u", gc=False):
    """A minute bar told anew half a minute later, with late trades."""


class QuoteMessage(msgspec.Struct, tag_field="T", tag="q", gc=False):
    """Best bid and ask; a price of 0 means that side is empty."""

    S: str
    bp: float
    ap: float
    bs: float
    t: Time
    ask_size: float = msgspec.field(name="as", default=0.0)


class TradeMessage(msgspec.Struct, tag_field="T", tag="t", gc=False):
    """A trade; only that it came matters here."""

    S: str


class StatusMessage(msgspec.Struct, tag_field="T", tag="s", gc=False):
    """A trading status: `sc` and `sm` code and text, `rc` and `rm` of the reason."""

    S: str
    t: Time | None = None
    sc: str = ""
    sm: str = ""
    rc: str = ""
    rm: str = ""


class LuldMessage(msgspec.Struct, tag_field="T", tag="l", gc=False):
    """Limit up, limit down: the band, and `i`, what the update is about."""

    S: str
    t: Time | None = None
    u: float = 0.0
    d: float = 0.0
    i: str = ""


class SuccessMessage(msgspec.Struct, tag_field="T", tag="success"):
    """``connected`` or ``authenticated``."""

    msg: str = ""


class ErrorMessage(msgspec.Struct, tag_field="T", tag="error"):
    """A refusal; codes are listed in `stream.py`."""

    code: int = 0
    msg: str = ""


class SubscriptionMessage(msgspec.Struct, tag_field="T", tag="subscription"):
    """Everything that is subscribed to now."""

    bars: list[str] = []
    dailyBars: list[str] = []
    quotes: list[str] = []
    statuses: list[str] = []
    lulds: list[str] = []


Message = (
    BarMessage
    | DailyBarMessage
    | UpdatedBarMessage
    | QuoteMessage
    | TradeMessage
    | StatusMessage
    | LuldMessage
    | SuccessMessage
    | ErrorMessage
    | SubscriptionMessage
)

_KNOWN: Final = frozenset({"b", "d", "u", "q", "t", "s", "l", "success", "error", "subscription"})


class _Any(msgspec.Struct):
    T: Any = None


class Decoder:
    """Decodes frames; nothing a server sends makes it raise.

    `unknown` counts messages of types that are not read, by type; `garbage` counts messages of
    known types, and whole frames, that cannot be read.
    """

    def __init__(self) -> None:
        self.unknown: Counter[str] = Counter()
        self.garbage = 0
        self._packed = msgspec.msgpack.Decoder(list[Message])
        self._text = msgspec.json.Decoder(list[Message])

    def decode(self, frame: bytes | str) -> list[Message]:
        """Return the messages of a frame that can be read, in order."""
        try:
            if isinstance(frame, str):
                return self._text.decode(frame)
            return self._packed.decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._one_by_one(frame)

    def _one_by_one(self, frame: bytes | str) -> list[Message]:
        module = msgspec.json if isinstance(frame, str) else msgspec.msgpack
        try:
            parts = module.decode(frame, type=list[msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.garbage += 1
            return []
        messages: list[Message] = []
        for part in parts:
            try:
                messages.append(module.decode(part, type=Message))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._count(module, part)
        return messages

    def _count(self, module: Any, part: msgspec.Raw) -> None:
        try:
            kind = module.decode(part, type=_Any).T
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            kind = None
        if isinstance(kind, str) and kind not in _KNOWN:
            # A server cannot fill our memory with names.
            self.unknown[kind if len(self.unknown) < len(_KNOWN) * 4 else "others"] += 1
        else:
            self.garbage += 1
