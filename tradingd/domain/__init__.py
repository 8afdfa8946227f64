"""The vocabulary that every part shares: money, orders, fills, positions, actions, records, ports.

Pure values only: no I/O, no third-party SDK, no NautilusTrader.
"""
