"""Find what moves before the open: gaps and relative volume."""
