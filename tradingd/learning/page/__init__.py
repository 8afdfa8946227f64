"""The report of a training as one HTML page that opens offline: a module per question of a sceptic.

A module returns HTML and puts its figures into `figures`, by the id of their place on the page.
What a report does not tell is said so in its place, with the reason; it is never drawn as 0.
"""

from tradingd.learning.page.document import write

__all__ = ["write"]
