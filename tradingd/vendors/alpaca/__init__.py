"""Alpaca: credentials and hosts, shared by broker, feed and source."""
