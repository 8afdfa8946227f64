"""Fetch past order books for the days that were traded, from whoever has them."""
