"""Runs over order books: what belongs here makes recorded books and trades an engine's market.

What must never be here: how files are read (`level2`, `vendors`), what a strategy decides.
"""
