"""Everything that knows NautilusTrader's engines: the strategy base class and the backtest.

What belongs here: turning stored bars into engine objects, sending orders through the gate, fill
and fee models, corporate actions while a position is open, and the records of a run. What must
never be here: limits (`gate`), price schedules (`costs`), files (`history`, `results`).
"""
