"""The order shim: gate, write-ahead intent, send, outcome, event. Engine-neutral."""
