"""Strategies: signals as pure classes, and thin strategies that turn them into orders.

What belongs here: rules of when and how much to trade, and the table that builds a strategy from
its configuration. What must never be here: files, limits (`gate`), costs, engine wiring. Modules
named `signal.py`, `sizing.py`, `decision.py` and `watch.py` do not import the engine.
"""
