"""Alpaca's trading API over the book: REST, trade updates, faults."""
