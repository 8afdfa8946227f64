"""How an order is worked: limits near the market, re-priced, sliced, timed out. Pure."""
