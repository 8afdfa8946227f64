"""A stand-alone simulated broker: its own process, its own book, a socket, faults on demand.

It imports nothing of tradingd, so that it cannot share a misunderstanding with the order shim.
"""
