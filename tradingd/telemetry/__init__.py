"""Metrics and logs; secrets never pass."""
