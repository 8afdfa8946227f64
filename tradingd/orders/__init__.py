"""The order shim: gate, write-ahead intent, send, outcome, event. Engine-neutral.

Here belongs what is true for every broker. Never here: a concrete broker, SQLite, the engine.
"""
