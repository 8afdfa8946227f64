"""Published layouts as JSON Schemas and rules: find, check, explain."""
