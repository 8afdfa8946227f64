"""Does the journal agree with the broker? Checked from outside the daemon, and mended on request.

Nothing here uses the shim, its book or its reconciliation: a fault in those must not hide itself.
"""
