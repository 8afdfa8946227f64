"""One module per kind of defect; each function writes the query of one rule.

A query reads table `checked` (rows of one kind and resolution: symbol, ts, day, and the store's
columns; a regular-session flag `regular`), table `sessions` (day, number, opens, closes) and
table `events` (symbol, day, growth, amount). Times are UTC nanoseconds, days New York days since
1970-01-01. It yields symbol, ts and detail of each finding.
"""
