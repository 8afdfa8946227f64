"""Folders in QuantConnect LEAN's layout: zipped CSV bars and ticks, factor and map files.

Format: https://github.com/QuantConnect/Lean/tree/master/Data/equity (README files).
"""
