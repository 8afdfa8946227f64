"""Databento, once for all who need it: the client's one home, its files, its errors in our words.

Nothing here knows what data are for, and nothing here decides to spend: whoever asks has a
`Ledger`. Only this package imports the vendor's libraries, and only when they are used.
"""
