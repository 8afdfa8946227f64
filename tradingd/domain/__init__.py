"""The vocabulary that every part shares: money, orders, fills, positions, actions, records, ports.

Pure values only: no I/O, no vendor SDK, no NautilusTrader (`ports` speaks Arrow tables).
"""
