"""What an order book said: measures of the literature, streamed over days of books."""
