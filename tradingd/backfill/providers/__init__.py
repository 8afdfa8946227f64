"""Who has past order books: one module per vendor, each with a `make` that returns a provider.

A provider brings DBN files and says what they cost. What becomes of them is not its business, and
one that costs money counts every byte it may have paid for.
"""
