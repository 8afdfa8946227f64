"""Databento: the only home of its client library and of its file format."""
