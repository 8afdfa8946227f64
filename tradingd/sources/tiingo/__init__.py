"""Tiingo: end-of-day prices with splits and dividends, IEX bars within the day; as text."""
