"""A server that speaks Alpaca's trading and market-data APIs over the simulated broker's book.

It imports nothing of the daemon and follows Alpaca's published contract.
"""
