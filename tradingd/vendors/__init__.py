"""What several packages need of one vendor: keys, hosts, transport; no trading logic."""
