"""The two encodings of the streams: JSON text, or MessagePack when a client asks for it.

Every frame is an array of messages. Messages are encoded one by one, so that one encoding serves
all clients that get the message.
"""

import struct
from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec

from tradingd.simalpaca.marketdata import amounts, times

_TIMESTAMP: Final = -1
"""MessagePack's extension type of times (msgpack specification, "Timestamp extension type")."""


class Codec(Protocol):
    """How numbers, times, messages and frames are written."""

    binary: bool

    def number(self, nanos: int) -> object:
        """Return a price as this encoding has it."""
        ...

    def time(self, ts: int) -> object:
        """Return a time (UTC ns) as this encoding has it."""
        ...

    def encode(self, message: object) -> bytes:
        """Return one message."""
        ...

    def frame(self, messages: Sequence[bytes]) -> bytes:
        """Return the array of some messages."""
        ...

    def decode(self, data: bytes) -> Any:
        """Read what a client sent; ValueError when it cannot be read."""
        ...


class _Json:
    binary = False
    _encoder = msgspec.json.Encoder()

    def number(self, nanos: int) -> object:
        return amounts.number(nanos)

    def time(self, ts: int) -> object:
        return times.text(ts)

    def encode(self, message: object) -> bytes:
        return self._encoder.encode(message)

    def frame(self, messages: Sequence[bytes]) -> bytes:
        return b"[" + b",".join(messages) + b"]"

    def decode(self, data: bytes) -> Any:
        return msgspec.json.decode(data)


class _MessagePack:
    binary = True
    _encoder = msgspec.msgpack.Encoder()

    def number(self, nanos: int) -> object:
        return amounts.double(nanos)

    def time(self, ts: int) -> object:
        seconds, fraction = divmod(ts, times.SECOND)
        if fraction == 0 and seconds < 2**32:
            return msgspec.msgpack.Ext(_TIMESTAMP, struct.pack(">I", seconds))
        return msgspec.msgpack.Ext(_TIMESTAMP, struct.pack(">Q", fraction << 34 | seconds))

    def encode(self, message: object) -> bytes:
        return self._encoder.encode(message)

    def frame(self, messages: Sequence[bytes]) -> bytes:
        number = len(messages)
        if number < 16:
            head = bytes([0x90 | number])
        elif number < 2**16:
            head = struct.pack(">BH", 0xDC, number)
        else:
            head = struct.pack(">BI", 0xDD, number)
        return head + b"".join(messages)

    def decode(self, data: bytes) -> Any:
        return msgspec.msgpack.decode(data)


JSON: Final[Codec] = _Json()
MESSAGE_PACK: Final[Codec] = _MessagePack()


def of_content_type(value: str) -> Codec:
    """Return the codec that a request's Content-Type asks for."""
    return MESSAGE_PACK if value.partition(";")[0].strip() == "application/msgpack" else JSON
