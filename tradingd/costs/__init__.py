"""What trading costs: dated commission schedules, slippage and borrow fees, as pure models.

Rates live in `schedules/*.yaml` with their dates and sources; nothing here opens a socket.
"""
