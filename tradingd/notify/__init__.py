"""The alert router: severity, routes, repetition, escalation, durable outbox.

Belongs here: when somebody is told, on which route, and that it arrives. Never here: what is worth
an alert (those who emit decide), and anything that trades.
"""
