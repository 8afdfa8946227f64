"""Massive (formerly Polygon.io): aggregates, splits and dividends; numbers read as decimals."""
