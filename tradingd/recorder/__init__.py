"""Record live order books beside a trading session, bounded and proof against sudden death."""
