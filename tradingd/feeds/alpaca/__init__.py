"""Alpaca's live market data as a feed: its stream, and REST for what came before."""
