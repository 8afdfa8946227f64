"""Incremental indicators: one small class each, fed bar by bar, cheap per update.

What belongs here: plain Python on floats with `update(...)`, `value` (nan until `ready`) and
`rescale(factor)` for splits. What must never be here: the engine, files, orders, the engine's own
indicators (their seeds differ from the published definitions).
"""
