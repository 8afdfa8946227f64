"""Who has spoken: a subscription is healthy when a message of it has come, not on being told so."""

from collections.abc import Collection, Sequence


class Ears:
    """Remembers when each symbol was last heard. Pure: it is told the time.

    A symbol is mute when it is subscribed to, others speak, and it has been silent for too long.
    Silence is counted from when the talk began: after a night, nobody is mute at the first word.

    Parameters
    ----------
    symbols : collection of str
    seconds : float
        Silence after which a symbol is mute.
    """

    def __init__(self, symbols: Collection[str], seconds: float) -> None:
        self.proven: set[str] = set()
        self._seconds = seconds
        self._heard = dict.fromkeys(symbols, float("-inf"))
        self._talk = float("inf")
        self._last = float("-inf")
        self._renewed: dict[str, float] = {}

    def subscribed(self) -> None:
        """Begin anew: nothing is proven on a new connection."""
        self.proven.clear()
        self._talk, self._last = float("inf"), float("-inf")
        self._renewed.clear()

    def hear(self, symbol: str, now: float) -> None:
        """Take note of a message about a symbol; others than ours are passed over."""
        if symbol not in self._heard:
            return
        if now - self._last > self._seconds:
            self._talk = now
        self._last = self._heard[symbol] = now
        self.proven.add(symbol)

    def mute(self, now: float) -> Sequence[str]:
        """Return the symbols that are silent for too long while others speak."""
        if now - self._last > self._seconds:
            return ()
        return [
            name
            for name, heard in self._heard.items()
            if now - max(heard, self._talk) > self._seconds
        ]

    def due_again(self, now: float) -> Sequence[str]:
        """Return the mute symbols to subscribe anew, each at most once in that many seconds."""
        due = [
            name
            for name in self.mute(now)
            if now - self._renewed.get(name, float("-inf")) > self._seconds
        ]
        self._renewed.update(dict.fromkeys(due, now))
        return due

    def silent_for(self, now: float) -> float:
        """Return the seconds since anything at all was heard; infinite when nothing was."""
        return now - self._last
