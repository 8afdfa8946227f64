"""The Parquet history store: layout, atomic writes, manifest, DuckDB views, corporate actions."""
