"""Leak: whether a feature knows what it cannot know, and proof that the examination would notice.

Here belongs what finds future in features by numbers alone. Never: the features' own code (its
truncation test says where the future comes from), learners, the report.
"""

from tradingd.learning.leak.canary import Proof, prove
from tradingd.learning.leak.examine import Examination, examine

__all__ = ["Examination", "Proof", "examine", "prove"]
