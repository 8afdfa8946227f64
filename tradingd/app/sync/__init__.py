"""Keep the history store complete: what is missing, from whom, how good, and who brought it.

Nothing here knows a vendor, and nothing here trades.
"""
