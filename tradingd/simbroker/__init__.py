"""A stand-alone simulated broker: its own process, its own book, a socket, faults on demand.

It imports nothing of tradingd and only the standard library, so that it cannot share a
misunderstanding with the order shim and starts in a tenth of a second.
`contracts/simbroker.md` is what it promises.
"""
