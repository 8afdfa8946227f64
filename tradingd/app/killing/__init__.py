"""The kill switch: latch, reach the broker without the daemon, cancel, close, prove flat.

Light on purpose, for it must work when everything else does not: standard library, msgspec, domain
and a broker's own client. No engine, no configuration, no journal, no control socket.
"""
