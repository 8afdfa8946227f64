"""How long to wait for what; a test server is waited for less long."""

import msgspec


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, but for `refusals`.

    Attributes
    ----------
    connect : float
        For a connection with its authentication.
    answer : float
        For the word that a symbol is known. After it, a subscription counts as made; what comes
        later is told as a gap.
    first_wait, longest_wait : float
        Between tries to connect again.
    silence : float
        Without any record, heartbeats included, after which a connection counts as dead; 0: twice
        the heartbeat's interval.
    refusals : int
        Times in a row that the gateway may refuse a session which worked before; a session that
        it has not let go of yet counts against the connection limit for a while.
    """

    connect: float = 20.0
    answer: float = 5.0
    first_wait: float = 0.5
    longest_wait: float = 30.0
    silence: float = 0.0
    refusals: int = 5
