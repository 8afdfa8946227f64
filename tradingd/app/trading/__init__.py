"""The composition of a trading session: `tradingd run`.

What is built here is wired here and nowhere else; the parts know each other by Protocols only.
"""
