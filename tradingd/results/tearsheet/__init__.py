"""The tear sheet: one HTML file that opens offline; plain data in, text out, no engine types."""
