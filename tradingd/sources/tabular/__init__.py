"""CSV and Parquet files in a documented column layout (`contracts/tabular-*.json`)."""
