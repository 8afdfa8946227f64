"""Databento's bars: estimates, then downloads, within what may be spent.

A download costs money. It is tried again only where nothing can have been billed: an answer that
is an error, a connection that never came about, or a request that is free.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from tradingd.config.secrets import Secret
from tradingd.sources.remote import trouble as remote
from tradingd.sources.remote.calls import Calls
from tradingd.vendors.databento.historical import HistoricalClient, Request
from tradingd.vendors.databento.ledger import Ledger, OverLimit, dollars
from tradingd.vendors.databento.trouble import Kind, Trouble

_KINDS: Final = {
    Kind.DOWN: remote.Kind.DOWN,
    Kind.BUSY: remote.Kind.BUSY,
    Kind.GARBLED: remote.Kind.GARBLED,
    Kind.KEY: remote.Kind.KEY,
    Kind.LICENCE: remote.Kind.KEY,
    Kind.UNKNOWN: remote.Kind.UNKNOWN,
    Kind.REFUSED: remote.Kind.REFUSED,
}


class DatabentoClient:
    """Speaks to Databento; connects with the first request.

    Parameters
    ----------
    key : Secret
        API key.
    endpoint : str
        Gateway; empty: Databento's own.
    timeout : float
        Seconds for one answer.
    calls : Calls
        Pacing and retries.
    limit : Decimal
        USD that all downloads of this client may cost, by Databento's estimates.
    """

    def __init__(
        self, key: Secret, *, endpoint: str, timeout: float, calls: Calls, limit: Decimal
    ) -> None:
        self._vendor = HistoricalClient(key, endpoint=endpoint, timeout=timeout)
        self._calls = calls
        self._ledger = Ledger(limit)
        self._ends: dict[tuple[str, str], str] = {}

    def available_end(self, dataset: str, schema: str) -> str:
        """Return the ISO time at which a dataset ends for us; free of charge.

        Raises
        ------
        Trouble
        """
        place = (dataset, schema)
        if place not in self._ends:
            self._ends[place] = self._ask(lambda: self._vendor.available_end(dataset, schema))
        return self._ends[place]

    def bars(self, request: Request) -> Any:
        """Return the records as a NumPy array (prices are nanos), if their price is allowed.

        Raises
        ------
        Trouble
            REFUSED with the estimate where it exceeds what is left of the limit.
        """
        estimate = self._ask(lambda: self._vendor.cost(request))
        try:
            self._ledger.spend(estimate)
        except OverLimit as over:
            raise remote.Trouble(
                remote.Kind.REFUSED,
                f"{request.symbol} {request.schema} costs {dollars(over.amount)} by "
                f"Databento's estimate; source.spending_limit leaves {dollars(over.left)}",
            ) from None
        try:
            return self._ask(lambda: self._vendor.records(request), billed=estimate > 0)
        except remote.Trouble as trouble:
            # One that may have been charged for is not repeated: the last try tells of all.
            if isinstance(trouble.__cause__, Trouble) and not trouble.__cause__.lost:
                self._ledger.refund(estimate)
            raise

    def _ask[T](self, question: Callable[[], T], *, billed: bool = False) -> T:
        def once() -> T:
            try:
                return question()
            except Trouble as trouble:
                raise remote.Trouble(
                    _KINDS[trouble.kind],
                    trouble.detail,
                    wait=trouble.wait or 0.0,
                    again=trouble.again and not (billed and trouble.lost),
                ) from trouble

        return self._calls.run(once)
