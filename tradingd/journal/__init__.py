"""The SQLite journal of an instance: one writer, append-mostly, hash-chained audit."""
