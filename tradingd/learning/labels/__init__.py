"""Labels: what is learned of a bar, and until when its answer looks ahead.

Here belongs what turns one symbol's bars into answers with their information horizons. Never:
features, rows of several symbols, the rules whose signals are judged.
"""

from tradingd.learning.labels.answer import Labels
from tradingd.learning.labels.label import label

__all__ = ["Labels", "label"]
