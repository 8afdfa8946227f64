"""Who waits for the first row of a symbol, or its refusal."""

import asyncio

from tradingd.kits.failure import Failure


class Answers:
    """One future a symbol; all who subscribe to it at a time wait for the same one."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[None]] = {}

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that somebody waits for."""
        return tuple(self._waiting)

    def find(self, symbol: str) -> asyncio.Future[None] | None:
        """Return what others wait for already."""
        return self._waiting.get(symbol)

    def expect(self, symbol: str) -> asyncio.Future[None]:
        """Return a new answer to wait for."""
        answer = self._waiting[symbol] = asyncio.get_running_loop().create_future()
        return answer

    def forget(self, symbol: str) -> None:
        """Expect nothing any more."""
        self._waiting.pop(symbol, None)

    def give(self, symbol: str, failure: Failure | None = None) -> bool:
        """Answer who waits for a symbol; False when nobody does."""
        answer = self._waiting.pop(symbol, None)
        if answer is None or answer.done():
            return False
        if failure is None:
            answer.set_result(None)
        else:
            answer.set_exception(failure)
        return True
