"""Why the start fails, in words for a person."""

from tradingd.brokers.alpaca.replies import Refused
from tradingd.kits.failure import ExitCode, Failure


def unreachable(where: str, why: str, seconds: float) -> Failure:
    """Return the failure of a server that does not answer in time."""
    return Failure(
        "Alpaca cannot be reached",
        code=ExitCode.BROKER,
        where=where,
        expected=f"account and trade updates within {seconds:g} s",
        found=why,
        next_step="see status.alpaca.markets and the network, then start again",
    )


def keys_refused(where: str, reply: Refused) -> Failure:
    """Return the failure of keys that are not let in."""
    return Failure(
        "Alpaca refuses the keys",
        code=ExitCode.BROKER,
        where=where,
        expected="keys of an account of this host",
        found=reply.text(),
        next_step="keys of paper and live accounts differ; make new ones where they are lost",
    )
