"""Alpaca behind the Protocol that every broker has, over alpaca-py's trading client.

Only `client.py` knows alpaca-py. Vendor names from the outside in, domain names from the inside
out; what is known of an order can be rebuilt from Alpaca alone. Never here: market data.
"""
