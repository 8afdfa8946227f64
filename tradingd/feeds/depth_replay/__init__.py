"""Stored order books told as if they happened now. Reads files; knows nothing of who listens."""
