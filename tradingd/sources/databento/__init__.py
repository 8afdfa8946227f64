"""Databento's historical bars; every request has a price, asked for before it is paid."""
