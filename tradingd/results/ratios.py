"""Ratios that may not exist: a rounded finite number, or None with the reason."""

import math
from collections.abc import Callable

from tradingd.results.metrics import SIGNIFICANT_DIGITS


class Ratios:
    """Computes named ratios and remembers why some have no value.

    JSON has no infinity and a person has no use for one, so neither ever leaves here.
    """

    def __init__(self) -> None:
        self.undefined: dict[str, str] = {}

    def value(self, name: str, obstacle: str, compute: Callable[[], float]) -> float | None:
        """Return the rounded ratio, or None when an obstacle is named or it is not finite."""
        if obstacle:
            self.undefined[name] = obstacle
            return None
        result = float(compute())
        if not math.isfinite(result):
            self.undefined[name] = "the formula gives no finite number for this run"
            return None
        return significant(result)


def significant(value: float) -> float:
    """Round to the digits that are worth keeping; never a negative zero."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0
