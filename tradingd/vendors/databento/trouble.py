"""What can go wrong with Databento, in one vocabulary, and what an HTTP status means there.

Cases of the vendor's error bodies are named at databento.com/docs/api-historical/basics/errors.
"""

import re
from enum import StrEnum
from typing import Final

_SHOWN: Final = 300
"""Characters of the vendor's own words that a message repeats."""

_KEY: Final = re.compile(r"db-[A-Za-z0-9]{6,}")
"""Databento's keys are `db-` and 29 letters and digits."""


class Kind(StrEnum):
    """Kinds of trouble, by what helps."""

    DOWN = "cannot be reached or broke off"
    """Another try may help: no connection, too slow, 5xx, an answer that ended too early."""
    BUSY = "allows no more requests for now"
    """Waiting helps (429)."""
    GARBLED = "sent an answer that cannot be read"
    """Another try may help, once or twice."""
    KEY = "does not accept the key"
    """The key is wrong or its account is not in order: no request of it can succeed."""
    LICENCE = "does not entitle us to this data"
    UNKNOWN = "does not know the symbol on these days"
    """Also what it says of a day on which the symbol did not trade."""
    REFUSED = "refuses the request"


_AGAIN: Final = (Kind.DOWN, Kind.BUSY, Kind.GARBLED)

_UNRESOLVED: Final = ("none of the symbols", "not be resolved", "not resolve", "symbology_invalid")


class Trouble(Exception):
    """One failed request.

    Parameters
    ----------
    kind : Kind
        What happened.
    detail : str
        The vendor's words, or the transport's; whatever looks like a key is masked.
    wait : float, optional
        Seconds the vendor asked to wait; None when it did not say.
    lost : bool
        Whether the vendor may have served, and charged for, an answer that we do not have.
    """

    def __init__(
        self, kind: Kind, detail: str, *, wait: float | None = None, lost: bool = False
    ) -> None:
        self.kind = kind
        self.detail = masked(" ".join(detail.split()))[:_SHOWN]
        self.wait = wait
        self.lost = lost
        super().__init__(f"Databento {kind}: {self.detail}")

    @property
    def again(self) -> bool:
        """Whether the same request may succeed later."""
        return self.kind in _AGAIN


def masked(text: str, key: str = "") -> str:
    """Return a text in which no key can be read."""
    hidden = text.replace(key, "***") if key else text
    return _KEY.sub("db-***", hidden)


def of_status(status: int, text: str, retry_after: str | None = None) -> Trouble:
    """Return what an error status means. Nothing was served, so nothing was charged."""
    detail = f"HTTP {status}: {text.strip() or 'no text'}"
    return Trouble(_kind(status, text.lower()), detail, wait=_seconds(retry_after))


def _kind(status: int, text: str) -> Kind:
    if status == 429:
        return Kind.BUSY
    if status >= 500 or status == 408:
        return Kind.DOWN
    if status in (401, 402):
        return Kind.KEY
    if status == 403:
        return Kind.LICENCE
    if status == 422 and any(word in text for word in _UNRESOLVED):
        return Kind.UNKNOWN
    return Kind.REFUSED


def _seconds(text: str | None) -> float | None:
    """Read Retry-After; the form with a date counts as unsaid."""
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:
        return None
