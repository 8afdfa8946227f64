"""Read what a day trader keeps: spreadsheets and exports that name symbols and days.

Files to rows, rows to (symbol, day); which of them are fetched is decided elsewhere.
"""
