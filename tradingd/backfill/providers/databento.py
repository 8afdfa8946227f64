"""Databento as a provider of past books: the price first, then the download, within the limit.

Databento charges for the bytes it sends, not for the bytes that arrive. So an amount is entered in
the ledger before its request leaves, and is taken back only where nothing can have been sent: an
error instead of an answer, or no connection at all. After an answer that broke off, another try is
another purchase: it is made when the limit has room for both, and refused otherwise.
"""

import datetime as dt
import logging
import threading
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, NoReturn

from tradingd.backfill.provider import Retry, Window
from tradingd.backfill.providers.asking import Asking
from tradingd.config.backfill import BackfillConfig, DatabentoBooks
from tradingd.config.secrets import resolve
from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.databento.historical import HistoricalClient, Request
from tradingd.vendors.databento.ledger import Ledger, OverLimit, dollars
from tradingd.vendors.databento.sdk import is_installed
from tradingd.vendors.databento.trouble import Kind, Trouble

log = logging.getLogger(__name__)

_MINUTE: Final = 60 * 10**9

_PER_SECOND: Final = 18.0
"""Databento allows 20 metadata requests a second (docs/api-historical/basics/rate-limits)."""

_AT_ONCE: Final = 8
"""Estimates asked for at the same time; each takes some tenths of a second."""

_CODES: Final = {Kind.UNKNOWN: ExitCode.UNKNOWN_SYMBOL}

_NEXT: Final = {
    Kind.KEY: "check the key that backfill.provider.key names, and its account, at the vendor",
    Kind.LICENCE: "license the dataset at the vendor, or choose another one or other days",
    Kind.UNKNOWN: "name the vendor's symbol in backfill.mapping; it may not have traded that day",
}


class DatabentoBookProvider:
    """Implements `BookProvider`; connects with the first question.

    Parameters
    ----------
    config : DatabentoBooks
        Dataset, schema, key, spending limit.
    asking : Asking
        Spaces and repeats what is free of charge.
    """

    name = "databento"

    def __init__(self, config: DatabentoBooks, *, asking: Asking) -> None:
        self._config = config
        self._asking = asking
        self._ledger = Ledger(config.spending_limit)
        self._lock = threading.Lock()
        self._connected: HistoricalClient | None = None
        self._prices: dict[Request, Decimal | Failure] = {}
        self._short: dict[Request, int] = {}

    @property
    def spent(self) -> Decimal:
        """USD that this provider was charged, or may have been, by the vendor's estimates."""
        return self._ledger.spent

    def is_available(self) -> str:
        """Return "" when Databento can be asked, else why not; asks nobody."""
        if not is_installed():
            return "package databento is not installed: pip install 'tradingd[databento]'"
        try:
            resolve(self._config.key)
        except Failure as failure:
            return failure.what
        return ""

    def estimate(self, tasks: Sequence[tuple[dt.date, str, Window]]) -> Decimal | None:
        """Return the price of all tasks, by Databento's estimates; see `BookProvider.estimate`.

        A task that Databento refuses, such as one of a symbol it does not know, costs nothing:
        `fetch_l2` raises the refusal.
        """
        requests = list(dict.fromkeys(self._request(symbol, window) for _, symbol, window in tasks))
        prices = self._asking.each(self._price, requests, at_once=_AT_ONCE)
        known = [price for price in prices if isinstance(price, Decimal)]
        return sum(known, Decimal(0))

    def fetch_l2(self, day: dt.date, symbol: str, window: Window, to: Path) -> Path:
        """Download one task; see `BookProvider.fetch_l2`. Whoever calls it tries again."""
        request = self._request(symbol, window)
        price = self._price(request, self._asking.once)
        if isinstance(price, Failure):
            raise price
        expected = self._expected(request)
        self._spend(request, price)
        path = to / f"{symbol.replace('/', '_')}_{day}.{request.schema}.dbn.zst"
        try:
            count = self._client().download(request, path)
        except Trouble as trouble:
            if not trouble.lost:
                self._ledger.refund(price)
            raise self._said(trouble, request, price) from trouble
        self._demand_all(request, count, expected, price)
        return path

    # -- private ---------------------------------------------------------------------------------

    def _request(self, symbol: str, window: Window) -> Request:
        return Request(
            dataset=self._config.dataset,
            schema=self._config.schema,
            symbol=symbol,
            start_ns=window.start_ns - self._config.lead_minutes * _MINUTE,
            end_ns=window.end_ns,
        )

    def _client(self) -> HistoricalClient:
        with self._lock:
            if self._connected is None:
                self._connected = HistoricalClient(
                    resolve(self._config.key),
                    endpoint=self._config.endpoint,
                    timeout=self._config.timeout,
                )
            return self._connected

    def _price(
        self, request: Request, asked: Callable[[Callable[[], Decimal]], Decimal] | None = None
    ) -> Decimal | Failure:
        """Return what a request costs, or why it is refused; an answer is remembered.

        Raises
        ------
        Retry
        Failure
            Where no request at all can succeed: a wrong key.
        """
        if (known := self._prices.get(request)) is not None:
            return known
        price: Decimal | Failure
        try:
            price = self._ask(
                request, lambda client: client.cost(request), asked or self._asking.run
            )
        except Failure as failure:
            if not isinstance(failure.__cause__, Trouble) or failure.__cause__.kind is Kind.KEY:
                raise
            price = failure
        self._prices[request] = price
        return price

    def _expected(self, request: Request) -> int | None:
        """Return how many records there are, where Databento counts them exactly."""
        if not request.is_counted_exactly:
            return None
        return self._ask(request, lambda client: client.record_count(request), self._asking.once)

    def _ask[T](
        self,
        request: Request,
        question: Callable[[HistoricalClient], T],
        asked: Callable[[Callable[[], T]], T],
    ) -> T:
        def once() -> T:
            try:
                return question(self._client())
            except Trouble as trouble:
                raise self._said(trouble, request) from trouble

        return asked(once)

    def _spend(self, request: Request, price: Decimal) -> None:
        try:
            self._ledger.spend(price)
        except OverLimit as over:
            raise Failure(
                f"{request.symbol} costs more than may be spent",
                code=ExitCode.SOURCE,
                where="backfill.provider.spending_limit",
                expected=f"at most {dollars(over.left)} left of the limit",
                found=f"{dollars(over.amount)} by Databento's estimate",
                next_step="raise the limit, or ask for fewer tasks",
            ) from None

    def _said(
        self, trouble: Trouble, request: Request, price: Decimal = Decimal(0)
    ) -> Retry | Failure:
        """Return the trouble as a task's: to be tried again, or refused."""
        if not trouble.again:
            return Failure(
                f"Databento {trouble.kind}",
                code=_CODES.get(trouble.kind, ExitCode.SOURCE),
                where=f"{request.symbol} in {request.dataset} {request.schema}",
                found=trouble.detail,
                next_step=_NEXT.get(trouble.kind, ""),
            )
        if trouble.lost and price > self._ledger.left:
            self._refuse_another(request, price, trouble.detail)
        paid = f"; {dollars(price)} may have been charged" if trouble.lost and price else ""
        return Retry(f"Databento {trouble.kind}: {trouble.detail}{paid}", trouble.wait)

    def _demand_all(
        self, request: Request, count: int, expected: int | None, price: Decimal
    ) -> None:
        """Refuse an answer with fewer records than Databento counts, once.

        The same short answer twice is all there is: the count is wrong, and is not paid for again.
        """
        if expected is None or count >= expected:
            return
        detail = f"{count} records of {expected} arrived"
        if self._short.get(request) == count:
            log.warning("databento: %s: %s, twice: taken as all", request.symbol, detail)
            return
        self._short[request] = count
        if price > self._ledger.left:
            self._refuse_another(request, price, detail)
        raise Retry(f"the answer was cut: {detail}" + (f"; {dollars(price)} paid" if price else ""))

    def _refuse_another(self, request: Request, price: Decimal, detail: str) -> NoReturn:
        raise Failure(
            f"the answer for {request.symbol} did not arrive whole, and may have been charged for",
            code=ExitCode.SOURCE,
            where="backfill.provider.spending_limit",
            expected=f"{dollars(price)} for another try",
            found=f"{detail}; {dollars(self._ledger.left)} left of the limit",
            next_step="raise the limit, then run the same command again",
        )


def make(config: DatabentoBooks, backfill: BackfillConfig) -> DatabentoBookProvider:
    """Return the provider; it touches nothing until asked."""
    asking = Asking(
        per_second=_PER_SECOND,
        tries=backfill.tries,
        first_wait=backfill.backoff_initial_ms / 1_000,
        longest_wait=backfill.backoff_max_ms / 1_000,
    )
    return DatabentoBookProvider(config, asking=asking)
