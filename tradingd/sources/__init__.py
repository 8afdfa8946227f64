"""Where history comes from: each subpackage turns one format into the store's tables.

Nothing here writes; an import command hands what a source yields to `tradingd.history`.
"""
