"""Health checks a person runs before trusting an installation.

One small function per fact; each returns a `Check` and never raises. Nothing here writes a file,
opens a connection or prints the value of a secret.
"""
