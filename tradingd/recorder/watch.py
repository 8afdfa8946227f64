"""When what is wrong with a book has lasted long enough that a person should hear of it."""

from typing import Final

from tradingd.domain.market import NANOSECONDS
from tradingd.level2.columns import Quality

LASTING: Final = 10 * NANOSECONDS
"""Data time for which a book may be crossed: venues' feeds show that for moments."""

QUIET: Final = 300 * NANOSECONDS
"""Data time for which a side may be stale: those of thinly traded symbols often are for a while."""

_TROUBLES: Final = (
    (Quality.CROSSED, LASTING, "crossed"),
    (Quality.DISORDER, LASTING, "out of order"),
    (Quality.SUSPECT, LASTING, "doubted by the vendor"),
    (Quality.STALE_BID, QUIET, "stale on the bid side"),
    (Quality.STALE_ASK, QUIET, "stale on the ask side"),
)


class BookWatch:
    """One symbol's rows, as they come."""

    def __init__(self) -> None:
        self._since: dict[Quality, int] = {}
        self.told = ""

    def row(self, quality: int, ts: int) -> str | None:
        """Return what to say now: a trouble, ``""`` when all is well again, None for nothing."""
        lasting = ""
        for bit, length, words in _TROUBLES:
            if not quality & bit:
                self._since.pop(bit, None)
            elif ts - self._since.setdefault(bit, ts) >= length:
                lasting = lasting or words
        if lasting and not self.told:
            self.told = lasting
            return lasting
        if self.told and not self._since:
            self.told = ""
            return ""
        return None
