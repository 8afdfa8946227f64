"""The client of the stand-alone simulated broker; `contracts/simbroker.md` is what it relies on.

client.py moves lines, parsing.py translates, outcomes.py judges, ordering.py puts events in order,
broker.py is the broker, launch.py starts the process. Standard library and msgspec only, so that
the kill switch can use it.
"""
