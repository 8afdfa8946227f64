"""Universe: which symbols may be traded on a day, in tiers, from what was known that day."""
