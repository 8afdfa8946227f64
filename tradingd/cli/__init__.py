"""Verbs and exit codes, nothing else: each command is a typed parameter struct and a late import."""
