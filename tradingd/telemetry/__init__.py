"""Metrics and logs; secrets never pass.

Belongs here: numbers for Prometheus and the endpoint that serves them, log records and where they
go, the mask that every output passes. Never here: what the numbers mean for trading (`daemon`
judges), and alerts (`notify` sends).
"""
