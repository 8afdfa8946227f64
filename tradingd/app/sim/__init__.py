"""The Alpaca test server as a product: serve it, and drill the whole daemon against it."""
