"""What can go wrong between us and a vendor, in one vocabulary."""

from enum import StrEnum
from typing import Final

from tradingd.kits.failure import ExitCode, Failure

_SHOWN: Final = 200
"""Characters of a vendor's own words that a message repeats."""


class Kind(StrEnum):
    """Kinds of trouble, by what helps."""

    DOWN = "down"
    """Unreachable, too slow, or a 5xx: another try may help."""
    BUSY = "busy"
    """Too many requests (429): waiting helps."""
    GARBLED = "garbled"
    """An answer that is none: another try may help, once or twice."""
    KEY = "key"
    """The key is missing, wrong, or not entitled."""
    UNKNOWN = "unknown"
    """The vendor does not know the symbol."""
    REFUSED = "refused"
    """The vendor understood and said no."""


_AGAIN: Final = (Kind.DOWN, Kind.BUSY, Kind.GARBLED)

_WORDS: Final = {
    Kind.DOWN: "cannot be reached",
    Kind.BUSY: "allows no more requests for now",
    Kind.GARBLED: "sent an answer that cannot be read",
    Kind.KEY: "does not accept the key",
    Kind.UNKNOWN: "does not know the symbol",
    Kind.REFUSED: "refuses the request",
}

_CODES: Final = {
    Kind.GARBLED: ExitCode.UNREADABLE_INPUT,
    Kind.UNKNOWN: ExitCode.UNKNOWN_SYMBOL,
}


class Trouble(Exception):
    """One failed request; raised by a vendor's client, caught by `Calls` and by the task.

    Parameters
    ----------
    kind : Kind
        What happened.
    detail : str
        The vendor's words, or the transport's, without secrets.
    wait : float
        Seconds the vendor asked to wait; 0 when it did not say.
    again : bool, optional
        Whether another try is sensible; None: as the kind says.
    """

    def __init__(
        self, kind: Kind, detail: str, *, wait: float = 0.0, again: bool | None = None
    ) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = " ".join(detail.split())[:_SHOWN]
        self.wait = wait
        self.again = kind in _AGAIN if again is None else again


def of_status(status: int, text: str, retry_after: str | None = None) -> Trouble | None:
    """Return what an HTTP status means; None for success. A redirect is not followed with a key."""
    if status < 300:
        return None
    detail = f"HTTP {status}: {text.strip() or 'no text'}"
    if status == 429:
        return Trouble(Kind.BUSY, detail, wait=_seconds(retry_after))
    if status >= 500 or status == 408:
        return Trouble(Kind.DOWN, detail, wait=_seconds(retry_after))
    if status in (401, 402, 403):
        return Trouble(Kind.KEY, detail)
    if status == 404:
        return Trouble(Kind.UNKNOWN, detail)
    return Trouble(Kind.REFUSED, detail)


def _seconds(text: str | None) -> float:
    """Read Retry-After; the form with a date counts as unsaid."""
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0


def failure(trouble: Trouble, vendor: str, where: str, next_step: str = "") -> Failure:
    """Translate for a person: SOURCE, UNKNOWN_SYMBOL or UNREADABLE_INPUT."""
    return Failure(
        f"{vendor} {_WORDS[trouble.kind]}",
        code=_CODES.get(trouble.kind, ExitCode.SOURCE),
        where=where,
        found=trouble.detail,
        next_step=next_step if trouble.kind is Kind.KEY else "",
    )
