"""Verbs and exit codes, nothing else: a command is a typed struct and a late import."""
