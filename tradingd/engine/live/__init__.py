"""The live engine: strategies in a NautilusTrader node inside our loop, every order to the shim."""
