"""What `tradingd features` answers: kinds, sets, proofs, values, drift, files."""
