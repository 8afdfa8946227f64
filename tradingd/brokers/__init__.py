"""Connections to brokers, one folder each; all speak tradingd.domain.broker.

What belongs here: transport, translation, and the judgement of outcomes. What must never be here:
decisions about orders, the journal, or anything an engine knows.
"""
