"""A report of order books as one HTML page that opens offline: a module per group of plots.

A module returns HTML and puts its figures into `figures`, by the id of their place on the page.
What a report does not tell is said so in its place, with the reason.
"""

from tradingd.microstructure.page.document import write

__all__ = ["write"]
