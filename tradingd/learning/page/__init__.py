"""The report of a training as one HTML page that opens offline."""

from tradingd.learning.page.document import write

__all__ = ["write"]
