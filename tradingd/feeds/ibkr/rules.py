"""How long to wait for what, in seconds; a test server is waited for less long."""

import msgspec


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Waits, in seconds.

    Attributes
    ----------
    quiet : float
        For a first row or a refusal, after a subscription. After it, one counts as made: a book
        may be empty; a refusal that comes later is told as a gap.
    first_wait, longest_wait : float
        Between tries to connect again.
    ping : float
        Without a word from TWS, after which it is asked for its time; without an answer for as
        long again, the connection counts as dead. TWS has no heartbeat of its own.
    tick : float
        Between two tellings of how far time has come.
    again : float
        Until a halted subscription is made again.
    """

    quiet: float = 2.0
    first_wait: float = 0.5
    longest_wait: float = 30.0
    ping: float = 15.0
    tick: float = 0.1
    again: float = 1.0
