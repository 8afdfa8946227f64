"""Interactive Brokers' market depth as a depth feed; the only home of ib_async."""
