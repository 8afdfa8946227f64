"""The gate between imported history and its use: rules that find what cannot be, or hardly.

Each rule is a small function that writes one DuckDB query; nothing here changes the store.
"""
