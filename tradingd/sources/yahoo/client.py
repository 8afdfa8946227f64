"""The only importer of yfinance; its requests paced and tried again.

yfinance keeps one session per process and hides errors by default; both are set here. Only
answers about prices are judged: its requests for cookies fail by design and are its own affair.
"""

import datetime as dt
import logging
import os
import warnings
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from tradingd.kits.failure import Failure
from tradingd.sources.remote.calls import Calls
from tradingd.sources.remote.extras import imported
from tradingd.sources.remote.trouble import Kind, Trouble, of_status

_PRICES: Final = "/v8/finance/chart/"
_UNAUTHORIZED: Final = (401, 403)


class Day(msgspec.Struct, frozen=True):
    """One row as yfinance gives it: prices and dividend adjusted for every later split."""

    day: dt.date
    open: float
    high: float
    low: float
    close: float
    volume: int
    dividend: float
    split: float


class YahooClient:
    """Speaks to Yahoo through yfinance; connects with the first request.

    Parameters
    ----------
    endpoint : str
        Base URL in place of every Yahoo host; empty: Yahoo.
    timeout : float
        Seconds for one answer.
    calls : Calls
        Pacing and retries.
    """

    def __init__(self, *, endpoint: str, timeout: float, calls: Calls) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._timeout = timeout
        self._calls = calls
        self._session: Any = None
        self._vendor: Any = None

    def daily(self, ticker: str, first: dt.date) -> list[Day]:
        """Return every day from `first` until now: later splits are needed to undo them.

        Raises
        ------
        Trouble
        """
        if self._vendor is None:
            self._connect()
        try:
            with warnings.catch_warnings():
                # What yfinance should do better with pandas is no news for our users.
                warnings.simplefilter("ignore")
                frame = self._vendor.Ticker(ticker, session=self._session).history(
                    start=first.isoformat(),
                    interval="1d",
                    auto_adjust=False,
                    actions=True,
                    timeout=self._timeout,
                )
        except (Trouble, Failure):
            raise
        except Exception as error:
            # yfinance lets KeyError, TypeError and many more out when an answer is not as it was.
            raise self._of(error) from error
        return [
            Day(stamp.date(), opened, high, low, close, int(volume), paid, split)
            for stamp, opened, high, low, close, volume, paid, split in frame[
                ["Open", "High", "Low", "Close", "Volume", "Dividends", "Stock Splits"]
            ].itertuples()
        ]

    def _of(self, error: Exception) -> Trouble:
        names = self._vendor.exceptions
        text = f"{type(error).__name__}: {error}"
        if self._session.status in _UNAUTHORIZED:
            return Trouble(Kind.KEY, f"HTTP {self._session.status}: {error}")
        if isinstance(error, names.YFRateLimitError):
            return Trouble(Kind.BUSY, text, again=False)
        if isinstance(error, names.YFTickerMissingError):
            return Trouble(Kind.UNKNOWN, text)
        return Trouble(Kind.GARBLED, text)

    def _connect(self) -> None:
        yfinance = _prepared()
        self._session = _session(self._endpoint, self._timeout, self._calls)
        # Answers that an earlier client of this process got are not those of now.
        imported("yfinance.data", extra="yahoo").YfData.cache_get.cache_clear()
        self._vendor = yfinance


@cache
def _prepared() -> Any:
    """Return yfinance, set up once per process: moved again, its cache would stay open."""
    yfinance = imported("yfinance", extra="yahoo")
    yfinance.config.debug.hide_exceptions = False
    # It warns of cookies it did not get, and goes on without them.
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    yfinance.set_tz_cache_location(str(_cache_folder()))
    return yfinance


def _cache_folder() -> Path:
    """Where yfinance keeps the zones of exchanges, which it asks for once per ticker."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "tradingd" / "yahoo"


def _session(endpoint: str, timeout: float, calls: Calls) -> Any:
    """Return yfinance's own kind of session, paced; sent elsewhere when `endpoint` says so."""
    http = imported("yfinance._http", extra="yahoo")
    plain = http.new_session()

    base: Any = type(plain)

    class Session(base):  # type: ignore[misc]  # the class comes with the import
        status = 0

        def get(self, url: str, **options: Any) -> Any:
            # yfinance waits 30 seconds for cookies, whatever it was told.
            options["timeout"] = timeout
            if _PRICES not in url:
                return super().get(_moved(url, endpoint), **options)
            return calls.run(lambda: self._prices(_moved(url, endpoint), options))

        def post(self, url: str, **options: Any) -> Any:
            return super().post(_moved(url, endpoint), **{**options, "timeout": timeout})

        def _prices(self, url: str, options: Any) -> Any:
            try:
                answer = super().get(url, **options)
            except Exception as error:
                # Two HTTP libraries are possible here, each with errors of its own.
                raise Trouble(Kind.DOWN, type(error).__name__) from error
            self.status = int(answer.status_code)
            # With other cookies yfinance may still be let in: that is its second try.
            if self.status not in _UNAUTHORIZED:
                after = answer.headers.get("Retry-After")
                trouble = of_status(self.status, answer.text, after)
                if trouble is not None:
                    raise trouble
                _require_json(answer)
            return answer

    options = {"impersonate": "chrome"} if http.HAS_CURL_CFFI else {}
    made = Session(**options)
    made.headers.update(plain.headers)
    plain.close()
    return made


def _require_json(answer: Any) -> None:
    try:
        answer.json()
    except ValueError:
        raise Trouble(Kind.GARBLED, f"no JSON: {answer.text[:80]!r}") from None


def _moved(url: str, endpoint: str) -> str:
    if not endpoint:
        return url
    path = url.split("://", 1)[1].partition("/")[2]
    return f"{endpoint}/{path}"
