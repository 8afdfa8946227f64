"""Luck: how far a good result may be chance. Pure functions of numbers, each with its paper."""
