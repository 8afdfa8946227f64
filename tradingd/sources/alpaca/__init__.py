"""Alpaca's history as a source; its REST client is `tradingd.vendors.alpaca.data`."""
