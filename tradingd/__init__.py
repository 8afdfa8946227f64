"""A trading daemon for US equities.

The tree is the table of contents: `cli` holds verbs, `app` composes the parts, `engine` is the
only package that knows NautilusTrader's engines, `history` keeps market data, `gate` decides which
orders may leave, `domain` holds the vocabulary that all of them share. README.md draws the layers.
"""

__version__ = "0.1.0"
