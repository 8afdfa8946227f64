"""Databento's live books as a depth feed; what speaks to the vendor is in tradingd.vendors."""
