"""Connections to brokers, one folder each; all speak tradingd.domain.broker."""
