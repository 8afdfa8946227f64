"""Fade stretches from the session VWAP that RSI confirms; flat by the end of the day.

`signal.py` holds the rules (no engine), `strategy.py` turns them into orders.
"""
