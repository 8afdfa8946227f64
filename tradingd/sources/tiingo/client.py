"""The only importer of Tiingo's client; its requests, paced, tried again, and as plain text.

CSV is asked for because it carries prices as decimal text, where the client's JSON would pass
through doubles.
"""

import datetime as dt
from typing import Any, Final

from tradingd.config.secrets import Secret
from tradingd.sources.remote.calls import Calls
from tradingd.sources.remote.extras import imported
from tradingd.sources.remote.trouble import Kind, Trouble, of_status

_INTRADAY_COLUMNS: Final = "open,high,low,close,volume"


class TiingoClient:
    """Speaks to Tiingo; connects with the first request.

    Parameters
    ----------
    key : Secret
        API token.
    endpoint : str
        Base URL; empty: Tiingo's own.
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

    def prices(self, ticker: str, frequency: str, first: dt.date, last: dt.date) -> str:
        """Return the CSV text of one ticker's prices; days are Tiingo's, both inclusive.

        Raises
        ------
        Trouble
        """
        if self._vendor is None:
            self._vendor = self._made()
        text: str = self._vendor.get_ticker_price(
            ticker,
            startDate=first.isoformat(),
            endDate=last.isoformat(),
            fmt="csv",
            frequency=frequency,
            columns=None if frequency == "daily" else _INTRADAY_COLUMNS,
        )
        return text

    def _made(self) -> Any:
        """Return the vendor's client with its one transport method replaced by ours."""
        tiingo = imported("tiingo", extra="tiingo")
        requests = imported("requests", extra="tiingo")
        calls, timeout, endpoint, key = self._calls, self._timeout, self._endpoint, self._key

        def ask(method: str, url: str, headers: Any, options: Any) -> Any:
            try:
                answer = requests.request(
                    method, url, headers=headers, timeout=timeout, allow_redirects=False, **options
                )
                text = answer.text
            except requests.RequestException as error:
                raise Trouble(Kind.DOWN, type(error).__name__) from error
            trouble = of_status(
                answer.status_code,
                text.replace(key.reveal(), "***"),
                answer.headers.get("Retry-After"),
            )
            if trouble is not None:
                raise trouble
            return answer

        base: Any = tiingo.TiingoClient

        class Client(base):  # type: ignore[misc]  # the class comes with the import
            def __init__(self) -> None:
                super().__init__({"api_key": key.reveal()})
                # A child class sets the base URL: so the vendor's base class documents it.
                self._base_url: str = endpoint or self._base_url

            def _request(self, method: str, url: str, **options: Any) -> Any:
                whole = f"{self._base_url}/{url}"
                return calls.run(lambda: ask(method, whole, self._headers, options))

        return Client()
