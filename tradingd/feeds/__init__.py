"""Live and replayed market data; all speak tradingd.domain.feed."""
