"""Enter pull-backs inside an EMA trend that ADX confirms; trail by ATR; hold 1-10 days.

`signal.py` holds the rules and the trailing stop (no engine), `strategy.py` turns them into orders.
"""
