"""The alert router: severity, routes, repetition, escalation, durable outbox."""
