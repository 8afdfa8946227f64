"""How long the broker took lately to answer a command."""

from collections import OrderedDict, deque
from typing import Final

from tradingd.daemon.checks.check import Seconds
from tradingd.domain.trading import OrderEvent, Step

WINDOW_SECONDS: Final = 300.0
_MOST: Final = 10_000
_ANSWERS: Final = (Step.ACCEPTED, Step.REJECTED)


class AnswerTimes:
    """Listens to the steps of orders; knows the slowest answer of the last five minutes.

    Parameters
    ----------
    seconds : Callable
        A monotonic clock.
    """

    def __init__(self, seconds: Seconds) -> None:
        self._seconds = seconds
        self._sent: OrderedDict[str, float] = OrderedDict()
        self._answers: deque[tuple[float, float]] = deque(maxlen=_MOST)

    def __call__(self, event: OrderEvent) -> None:
        """Take one step of an order."""
        key, now = event.order.order_id, self._seconds()
        if event.step is Step.SENT:
            self._sent[key] = now
            if len(self._sent) > _MOST:
                self._sent.popitem(last=False)
        elif event.step in _ANSWERS and key in self._sent:
            self._answers.append((now, now - self._sent.pop(key)))

    def slowest(self) -> float | None:
        """Return the seconds of the slowest answer; None when nothing was sent lately."""
        since = self._seconds() - WINDOW_SECONDS
        while self._answers and self._answers[0][0] < since:
            self._answers.popleft()
        return max((took for _, took in self._answers), default=None)
