"""The queue of one route: urgent first, one thread, patient with a server that is away."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from tradingd.notify.channels import Channel
from tradingd.notify.ledger import RANK
from tradingd.notify.message import Message

MOST_WAITING: Final = 500
TRIES: Final = 3
"""Attempts at a message that is not durable."""

EXPIRY_NS: Final = 24 * 3600 * 1_000_000_000
_LONGEST_REST: Final = 300.0


class Result(StrEnum):
    """What became of a message on a route."""

    SENT = "sent"
    FAILED = "failed"
    """This attempt; a durable message is tried again."""
    DROPPED = "dropped"
    """Given up: tried often enough, too old, or too many waited."""


type Settle = Callable[[Message, str, Result], None]


class Lane:
    """Sends the messages of one route from a thread of its own.

    After a failure the route rests for a time that doubles up to five minutes; what waits, waits.

    Parameters
    ----------
    channel : Channel
        Where to.
    settle : callable
        Told of each attempt with (message, route, result), on the lane's thread.
    clock : callable
        Wall time, UTC ns.
    longest : callable
        Characters a message may have.
    rest : float
        Seconds of the first rest.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        settle: Settle,
        clock: Callable[[], int],
        longest: Callable[[], int],
        rest: float = 2.0,
    ) -> None:
        self._channel = channel
        self._settle = settle
        self._clock = clock
        self._longest = longest
        self._rest = rest
        self._failures = 0
        self._resume = 0.0
        self._closing = False
        self._tries: dict[str, int] = {}
        self._waiting: list[tuple[int, int, Message]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._thread = threading.Thread(
            target=self._run, name=f"alerts {channel.name}", daemon=True
        )

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def put(self, message: Message) -> None:
        """Queue a message."""
        dropped = None
        with self._changed:
            heapq.heappush(self._waiting, _ranked(message, next(self._numbers)))
            if len(self._waiting) > MOST_WAITING:
                last = max(self._waiting)
                self._waiting.remove(last)
                heapq.heapify(self._waiting)
                dropped = last[2]
            self._changed.notify()
        if dropped is not None:
            self._settle(dropped, self._channel.name, Result.DROPPED)

    def close(self) -> None:
        """Send what waits, until the first failure, and end; `join` waits for it."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def join(self, timeout: float) -> bool:
        """Wait for the end; False when a server still keeps the thread waiting."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def __len__(self) -> int:
        """Return how many messages wait."""
        return len(self._waiting)

    def _run(self) -> None:
        while (entry := self._next()) is not None:
            message = entry[2]
            if self._clock() - message.created > EXPIRY_NS:
                self._tries.pop(message.id, None)
                self._settle(message, self._channel.name, Result.DROPPED)
                continue
            if self._channel.send(message, longest=self._longest(), now=self._clock()):
                self._sent(message)
            else:
                self._failed(entry)

    def _next(self) -> tuple[int, int, Message] | None:
        with self._changed:
            while True:
                rest = 0.0 if self._closing else self._resume - time.monotonic()
                if self._waiting and rest <= 0:
                    return heapq.heappop(self._waiting)
                if self._closing:
                    return None
                self._changed.wait(rest if self._waiting else None)

    def _sent(self, message: Message) -> None:
        self._failures = 0
        self._resume = 0.0
        self._tries.pop(message.id, None)
        self._settle(message, self._channel.name, Result.SENT)

    def _failed(self, entry: tuple[int, int, Message]) -> None:
        message = entry[2]
        self._failures += 1
        self._resume = time.monotonic() + min(
            _LONGEST_REST, self._rest * 2 ** min(self._failures - 1, 20)
        )
        tries = self._tries[message.id] = self._tries.get(message.id, 0) + 1
        self._settle(message, self._channel.name, Result.FAILED)
        if not message.durable and tries >= TRIES:
            del self._tries[message.id]
            self._settle(message, self._channel.name, Result.DROPPED)
            return
        with self._changed:
            if not self._closing:
                heapq.heappush(self._waiting, entry)
                return
            left, self._waiting = self._waiting, []
        # The end does not wait for a server that is away; what is durable stays on disk.
        for _, _, one in left:
            if not one.durable:
                self._settle(one, self._channel.name, Result.DROPPED)


def _ranked(message: Message, number: int) -> tuple[int, int, Message]:
    return -RANK[message.severity], number, message
