"""Features: what a model may know of a symbol at a moment, in batches and bar by bar.

Here belong the library of feature kinds, their two computations, the set that a configuration
declares, its hash, its checks. Never: labels, models, orders, the network.
"""
