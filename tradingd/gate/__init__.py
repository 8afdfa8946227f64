"""The pre-trade gate and its book: every order passes here, in every mode.

Pure and clocked: no I/O, no wall clock, no engine; times and prices come in as arguments.
"""
