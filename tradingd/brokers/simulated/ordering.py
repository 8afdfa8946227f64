"""Puts numbered events in order: repeated ones are dropped, early ones wait for what is missing."""

from tradingd.brokers.simulated.client import Body


class InOrder:
    """Hands out events by their running number, each once, without a gap."""

    def __init__(self) -> None:
        self._next = 1
        self._known = 0
        self._early: dict[int, Body] = {}

    @property
    def next(self) -> int:
        """Number of the event to be handed out next."""
        return self._next

    @property
    def missing(self) -> bool:
        """True when an event is known to exist that has not come."""
        return self._known >= self._next

    def restart(self, first: int) -> None:
        """Begin anew with event number `first`."""
        self._next = first
        self._known = first - 1
        self._early.clear()

    def learn(self, last: int) -> None:
        """Take note that events up to `last` exist."""
        self._known = max(self._known, last)

    def push(self, seq: int, body: Body) -> list[Body]:
        """Take an event; return those that are in order now."""
        self.learn(seq)
        if seq >= self._next:
            self._early.setdefault(seq, body)
        ready = []
        while self._next in self._early:
            ready.append(self._early.pop(self._next))
            self._next += 1
        return ready
