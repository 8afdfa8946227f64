"""Universe: which symbols may be traded on a day, in tiers, from what was known that day.

Nothing here looks past the session before the day that it is asked for, and nothing forgets a
symbol that has left: both would choose with hindsight. The store is read, never written.
"""
