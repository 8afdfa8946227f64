"""The only importer of Massive's client; each page paced and tried again by itself.

The client reads JSON through an object we hand it, so that prices stay decimal text, and its
connection pool is replaced by one that knows our pacing: a failing third page does not fetch the
first two again.
"""

import datetime as dt
import json
import logging
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from tradingd.config.secrets import Secret
from tradingd.sources.remote.calls import Calls
from tradingd.sources.remote.extras import imported
from tradingd.sources.remote.trouble import Kind, Trouble, of_status

_PAGE: Final = 50_000
_ACTIONS_PAGE: Final = 1_000


class DecimalJson:
    """The part of `json` that the vendor's client uses, with exact numbers."""

    @staticmethod
    def loads(text: str) -> Any:
        """Decode; what is no JSON object is trouble, where the client would see an empty page."""
        try:
            decoded = json.loads(text, parse_float=Decimal)
        except ValueError:
            raise Trouble(Kind.GARBLED, f"no JSON: {text[:80]!r}") from None
        if not isinstance(decoded, dict):
            raise Trouble(Kind.GARBLED, f"no JSON object: {text[:80]!r}")
        return decoded


class MassiveClient:
    """Speaks to Massive; connects with the first request.

    Parameters
    ----------
    key : Secret
        API key.
    endpoint : str
        Base URL; empty: Massive's own.
    timeout : float
        Seconds for one answer.
    calls : Calls
        Pacing and retries.
    """

    def __init__(self, key: Secret, *, endpoint: str, timeout: float, calls: Calls) -> None:
        self._key = key
        self._endpoint = endpoint.rstrip("/")
        self._timeout = timeout
        self._calls = calls
        self._vendor: Any = None

    def aggregates(self, ticker: str, span: str, first: dt.date, last: dt.date) -> Iterator[Any]:
        """Yield unadjusted aggregates of 1 `span`, all pages; times are milliseconds of starts.

        Raises
        ------
        Trouble
        """
        return self._connected().list_aggs(  # type: ignore[no-any-return]
            ticker, 1, span, first, last, adjusted=False, sort="asc", limit=_PAGE
        )

    def splits(self, ticker: str, first: dt.date, last: dt.date) -> Iterator[Any]:
        """Yield splits that take effect in these days."""
        return self._connected().list_stocks_splits(  # type: ignore[no-any-return]
            ticker=ticker,
            execution_date_gte=first.isoformat(),
            execution_date_lte=last.isoformat(),
            limit=_ACTIONS_PAGE,
        )

    def dividends(self, ticker: str, first: dt.date, last: dt.date) -> Iterator[Any]:
        """Yield cash dividends whose ex-date is in these days."""
        return self._connected().list_stocks_dividends(  # type: ignore[no-any-return]
            ticker=ticker,
            ex_dividend_date_gte=first.isoformat(),
            ex_dividend_date_lte=last.isoformat(),
            limit=_ACTIONS_PAGE,
        )

    def _connected(self) -> Any:
        if self._vendor is None:
            self._vendor = self._made()
        return self._vendor

    def _made(self) -> Any:
        massive = imported("massive", extra="massive")
        # Its loggers write to standard output, which is ours.
        for name in ("RESTClient", "WebSocketClient"):
            logging.getLogger(name).handlers.clear()
        options = {"base": self._endpoint} if self._endpoint else {}
        client = massive.RESTClient(
            api_key=self._key.reveal(),
            connect_timeout=self._timeout,
            read_timeout=self._timeout,
            retries=0,
            custom_json=DecimalJson,
            **options,
        )
        client.client = self._pool(client.client.connection_pool_kw)
        return client

    def _pool(self, options: dict[str, Any]) -> Any:
        """Return a connection pool that asks through `Calls` and turns statuses into trouble."""
        urllib3 = imported("urllib3", extra="massive")
        calls, key = self._calls, self._key

        base: Any = urllib3.PoolManager

        class Pool(base):  # type: ignore[misc]  # the class comes with the import
            def urlopen(self, method: str, url: str, redirect: bool = True, **kw: Any) -> Any:
                # The key travels in a header: it must not follow a redirect elsewhere.
                kw.update(retries=False, redirect=False)
                return calls.run(lambda: self._once(method, url, kw))

            def _once(self, method: str, url: str, kw: dict[str, Any]) -> Any:
                try:
                    answer = super().urlopen(method, url, **kw)
                except urllib3.exceptions.HTTPError as error:
                    raise Trouble(Kind.DOWN, type(error).__name__) from error
                text = answer.data.decode("utf-8", "replace").replace(key.reveal(), "***")
                trouble = of_status(answer.status, text, answer.headers.get("Retry-After"))
                if trouble is not None:
                    raise trouble
                return answer

        kept = ("headers", "ca_certs", "cert_reqs", "timeout", "maxsize")
        return Pool(num_pools=2, **{name: options[name] for name in kept if name in options})
