"""Luck: how far a good result may be chance.

Pure functions of numbers, each with its paper. Nothing here reads a file, knows a strategy or a
model, or draws a number that its caller's seed does not decide.
"""
