"""One health check a module: facts and limits in, a finding out; no check acts by itself.

A check takes callables that return readings, so it knows no engine, broker or journal. It must
never block, sleep or call the network: what takes time is measured elsewhere and read here.
"""
