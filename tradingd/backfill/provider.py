"""The seam to a vendor: who brings a day's order book as a DBN file."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import msgspec


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Times that are asked for: UTC ns, `start_ns` inclusive, `end_ns` exclusive."""

    start_ns: int
    end_ns: int


class Retry(Exception):
    """The vendor could not answer now (429, 5xx, network, truncated body): the task may try again.

    Parameters
    ----------
    reason : str
        What happened, for the manifest and for people; never a key.
    wait : float, optional
        Seconds the vendor asks to wait; None: it does not say.
    """

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait


class BookProvider(Protocol):
    """Brings DBN files; knows neither trade logs nor our layout. Its constructor is inert.

    The methods are called from worker threads, `fetch_l2` from several at once.
    """

    @property
    def name(self) -> str:
        """Tag in file names, such as ``databento``."""
        ...

    def is_available(self) -> str:
        """Return "" when it can be asked, else why not (no key, no SDK); asks nobody."""
        ...

    def estimate(self, tasks: Sequence[tuple[dt.date, str, Window]]) -> Decimal | None:
        """Return the price of all tasks in USD before the first paid byte; None: free of charge.

        What is free to ask, it asks again itself: `fetch_l2` does not, its caller does.

        Raises
        ------
        Retry
            The vendor does not answer, after all tries.
        Failure
            It refuses: a wrong key, an unknown dataset.
        """
        ...

    def fetch_l2(self, day: dt.date, symbol: str, window: Window, to: Path) -> Path:
        """Bring a day's book of a symbol in the vendor's spelling as a DBN file.

        Parameters
        ----------
        day : datetime.date
            New York day.
        symbol : str
            As the vendor spells it.
        window : Window
            What is wanted; the file may hold more.
        to : pathlib.Path
            Empty folder of this task on the disk of the output; the caller removes it.

        Returns
        -------
        pathlib.Path
            The file, in `to` or where it already was; it is only read.

        Raises
        ------
        Retry
            The same request may succeed later.
        Failure
            It never will: no licence, no such symbol, a damaged file.
        """
        ...
