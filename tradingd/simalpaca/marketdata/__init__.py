"""Alpaca's market-data APIs over a history store: REST, streams, replay.

Here belongs what a client of the data APIs sees and what reads the store's files for it. Never
here: the book (`tradingd.simbroker`), trading endpoints, code shared with the daemon.
"""
