"""Serving: predictions inside the daemon, one row at a time, or a stated reason for none."""
