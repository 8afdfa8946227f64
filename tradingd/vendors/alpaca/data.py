"""Alpaca's market data by REST: bars, quotes, trades, corporate actions, calendar, clock.

Everything here is a GET, so it is asked again when it may help: the network failed, the server
did (5xx), or it asks for patience (429). How often and how long is bounded.
"""

import datetime as dt
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from requests import RequestException

from tradingd.kits.backoff import jittered
from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.alpaca import hosts
from tradingd.vendors.alpaca.exact import Answered, ExactClient, Raw
from tradingd.vendors.alpaca.keys import Keys, demand_form
from tradingd.vendors.alpaca.pace import Turnstile
from tradingd.vendors.alpaca.rest import masked
from tradingd.vendors.alpaca.values import rfc3339

type Page = Mapping[str, Sequence[Raw]]
"""Raw rows by symbol (by kind, for corporate actions), in Alpaca's order."""

type Moment = int | dt.date
"""UTC nanoseconds, or a day."""

_PAGE: Final = 10_000
_ACTIONS_PAGE: Final = 1_000
_SYMBOLS: Final = 100
"""Symbols of one request: a URL stays below 1,000 characters or so."""

_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 20.0
_LONGEST_PATIENCE: Final = 90.0
_SHOWN: Final = 300

_ERRNO: Final = re.compile(r"\[Errno -?\d+\] (?P<words>[\w ]+)")
"""The system's own words, in the text of an error of a connection."""


class DataClient:
    """Market data and reference data of one account; constructing it touches nothing.

    All methods block: call them on a thread. `close` (from any thread) ends waits at once.

    Parameters
    ----------
    keys : Keys
    endpoint : str
        Base URL of the data API; empty: Alpaca's own. Another must be on this machine.
    per_minute : int
        Requests a minute at most.
    timeout : float
        Seconds to wait for an answer.
    tries : int
        How often one request is made at most.
    trading : str
        Base URL of the trading API, where calendar and clock are; empty: the endpoint where that
        is on this machine, else Alpaca's paper host.
    code : ExitCode
        Of the failures that are raised.
    where : str
        Group of the configuration that failures name.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        endpoint: str = "",
        per_minute: int = 200,
        timeout: float = 30.0,
        tries: int = 6,
        trading: str = "",
        code: ExitCode = ExitCode.UNREADABLE_INPUT,
        where: str = "source",
    ) -> None:
        self.requests = 0
        self._base = endpoint.rstrip("/") or hosts.DATA
        self._trading_base = trading or (self._base if endpoint else hosts.PAPER)
        self._keys = keys
        self._timeout = timeout
        self._tries = tries
        self._code = code
        self._where = where
        self._turnstile = Turnstile(per_minute)
        self._closed = threading.Event()
        self._clients: dict[str, ExactClient] = {}
        self._making = threading.Lock()

    # -- questions -------------------------------------------------------------------------------

    def bars(
        self,
        symbols: Sequence[str],
        timeframe: str,
        *,
        start: Moment,
        end: Moment | None = None,
        feed: str,
        adjustment: str = "raw",
        asof: str | None = None,
    ) -> Iterator[Page]:
        """Yield pages of bars that start in a range, both ends inclusive.

        Parameters
        ----------
        symbols : sequence of str
        timeframe : str
            ``1Min``, ``1Hour`` or ``1Day``.
        start, end : int or datetime.date
            Of the bars' starts; None: up to now.
        feed : str
            ``iex``, ``sip`` ...
        adjustment : str
            ``raw``: prices as traded.
        asof : str, optional
            Day at which the symbols are looked up; ``-``: as they are; None: today.

        Raises
        ------
        Failure
            When Alpaca refuses, or does not answer after all tries.
        """
        fixed = {"timeframe": timeframe, "adjustment": adjustment, "feed": feed, "asof": asof}
        return self._symbol_pages("/stocks/bars", "bars", symbols, start, end, fixed)

    def quotes(
        self, symbols: Sequence[str], *, start: Moment, end: Moment | None = None, feed: str
    ) -> Iterator[Page]:
        """Yield pages of quotes; sizes are shares (round lots before 2025-11-03)."""
        return self._symbol_pages("/stocks/quotes", "quotes", symbols, start, end, {"feed": feed})

    def trades(
        self, symbols: Sequence[str], *, start: Moment, end: Moment | None = None, feed: str
    ) -> Iterator[Page]:
        """Yield pages of trades."""
        return self._symbol_pages("/stocks/trades", "trades", symbols, start, end, {"feed": feed})

    def latest(self, kind: str, symbols: Sequence[str], *, feed: str) -> dict[str, Raw]:
        """Return the latest row of each symbol that has any.

        Parameters
        ----------
        kind : str
            ``bars``, ``quotes`` or ``trades``.
        """
        found: dict[str, Raw] = {}
        for group in _groups(symbols):
            answer = self._get(f"/stocks/{kind}/latest", {"symbols": ",".join(group), "feed": feed})
            found.update(_mapping(answer.get(kind)))
        return found

    def corporate_actions(
        self, symbols: Sequence[str], *, start: dt.date, end: dt.date
    ) -> Iterator[Page]:
        """Yield pages of corporate actions by kind; the range is of process dates."""
        for group in _groups(symbols):
            fixed = {
                "symbols": ",".join(group),
                "start": start.isoformat(),
                "end": end.isoformat(),
                "limit": _ACTIONS_PAGE,
            }
            yield from self._pages("/corporate-actions", "corporate_actions", fixed, version="v1")

    def calendar(self, start: dt.date, end: dt.date) -> Sequence[Raw]:
        """Return Alpaca's sessions: ``date``, ``open``, ``close`` in New York time."""
        query = {"start": start.isoformat(), "end": end.isoformat()}
        answer = self._ask("/calendar", query, base=self._trading_base)
        return [row for row in answer if isinstance(row, dict)] if isinstance(answer, list) else []

    def clock(self) -> Raw:
        """Return Alpaca's clock: ``timestamp``, ``is_open``, ``next_open``, ``next_close``."""
        return _mapping(self._ask("/clock", {}, base=self._trading_base))

    def close(self) -> None:
        """End waits and let the connections go; later questions are refused."""
        self._closed.set()
        for client in self._clients.values():
            client.close()

    # -- pages -----------------------------------------------------------------------------------

    def _symbol_pages(
        self,
        path: str,
        key: str,
        symbols: Sequence[str],
        start: Moment,
        end: Moment | None,
        fixed: Mapping[str, Any],
    ) -> Iterator[Page]:
        span = {"start": _text(start), "end": None if end is None else _text(end)}
        for group in _groups(symbols):
            query = {**fixed, **span, "symbols": ",".join(group), "limit": _PAGE, "sort": "asc"}
            yield from self._pages(path, key, query)

    def _pages(
        self, path: str, key: str, query: Mapping[str, Any], *, version: str = "v2"
    ) -> Iterator[Page]:
        seen: set[str] = set()
        token: str | None = None
        while True:
            answer = self._get(path, {**query, "page_token": token}, version=version)
            yield {
                name: [row for row in rows if isinstance(row, dict)]
                for name, rows in _mapping(answer.get(key)).items()
                if isinstance(rows, list)
            }
            token = answer.get("next_page_token")
            if not token:
                return
            if token in seen:
                raise self._failure(path, "pages go round in a circle", "")
            seen.add(token)

    # -- one question ----------------------------------------------------------------------------

    def _get(self, path: str, query: Mapping[str, Any], *, version: str = "v2") -> Raw:
        answer = self._ask(path, query, base=self._base, version=version)
        if not isinstance(answer, dict):
            raise self._failure(path, "Alpaca's answer is no object", type(answer).__name__)
        return answer

    def _ask(self, path: str, query: Mapping[str, Any], *, base: str, version: str = "v2") -> Any:
        """Ask until there is an answer, patiently within bounds."""
        given = {name: value for name, value in query.items() if value is not None}
        client = self._client(base)
        last = ""
        for attempt in range(self._tries):
            self._wait(self._turnstile.take(), path)
            self.requests += 1
            try:
                return client.get(path, given, api_version=version)
            except Answered as answered:
                if answered.status != 429 and answered.status < 500:
                    raise self._refused(path, answered) from None
                last = f"HTTP {answered.status}: {self._masked(_message(answered.text))}"
                pause = _asked_pause(answered.headers)
            except (RequestException, msgspec.DecodeError) as error:
                last = self._masked(_transport(error, base))
                pause = None
            if attempt + 1 < self._tries:
                if pause is None:
                    pause = jittered(attempt, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
                self._wait(pause, path)
        raise self._failure(
            path,
            "Alpaca's market data does not answer",
            f"{last} (asked {self._tries} times)",
            next_step="try again later; see https://status.alpaca.markets",
        )

    def _client(self, base: str) -> ExactClient:
        with self._making:
            if base not in self._clients:
                local = hosts.local(base)
                if not local and base not in (hosts.DATA, hosts.PAPER, hosts.LIVE):
                    raise Failure(
                        "this host is neither Alpaca's nor on this machine",
                        code=ExitCode.CONFIG,
                        where=f"{self._where}.endpoint",
                        expected=f"{hosts.DATA}, or a server on this machine",
                        found=base,
                    )
                demand_form(self._keys, self._where.partition(" ")[0])
                self._clients[base] = ExactClient(
                    self._keys, base=base, timeout=self._timeout, environment=not local
                )
            return self._clients[base]

    def _wait(self, seconds: float, path: str) -> None:
        if self._closed.wait(seconds) if seconds > 0 else self._closed.is_set():
            raise self._failure(path, "the questions to Alpaca were called off", "")

    # -- refusals --------------------------------------------------------------------------------

    def _refused(self, path: str, answered: Answered) -> Failure:
        found = f"HTTP {answered.status}: {self._masked(_message(answered.text))}"
        if answered.status in (401, 403):
            what = "Alpaca refuses these keys, or what they ask is beyond the subscription"
            step = f"check {self._where}.key_id and secret_key; recent SIP data needs a paid plan"
            return self._failure(path, what, found, next_step=step)
        if "symbol" in found.lower():
            return self._failure(
                path, "Alpaca does not know a symbol", found, code=ExitCode.UNKNOWN_SYMBOL
            )
        return self._failure(path, "Alpaca refuses the question", found)

    def _failure(
        self,
        path: str,
        what: str,
        found: str,
        *,
        next_step: str = "",
        code: ExitCode | None = None,
    ) -> Failure:
        return Failure(
            what,
            code=self._code if code is None else code,
            where=f"{self._where} alpaca, GET {path}",
            found=found,
            next_step=next_step,
        )

    def _masked(self, text: str) -> str:
        return masked(text, self._keys)[:_SHOWN]


def _text(moment: Moment) -> str:
    return rfc3339(moment) if isinstance(moment, int) else moment.isoformat()


def _groups(symbols: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(symbols), _SYMBOLS):
        yield symbols[first : first + _SYMBOLS]


def _mapping(value: Any) -> dict[str, Any]:
    # An empty range is answered with null by some versions of the server.
    return value if isinstance(value, dict) else {}


def _message(body: str) -> str:
    """Return the vendor's words in an error's body."""
    try:
        return str(_mapping(msgspec.json.decode(body.encode())).get("message", body))
    except msgspec.DecodeError:
        return body.strip()


def _transport(error: Exception, base: str) -> str:
    """Return the host and what happened to the connection.

    The library's own text has the URL with all its symbols in it, and tells a reader nothing more.
    """
    said = _ERRNO.search(str(error))
    why = f", {said['words']}" if said else ""
    return f"{urlsplit(base).netloc}: {type(error).__name__}{why}"


def _asked_pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks for, by Retry-After or its rate limit's reset."""
    after = headers.get("Retry-After", "")
    try:
        if after:
            return min(max(float(after), 0.0), _LONGEST_PATIENCE)
        reset, date = headers.get("X-RateLimit-Reset", ""), headers.get("Date", "")
        if reset and date:
            # Both are the server's time, so that our clock does not matter.
            pause = float(reset) - parsedate_to_datetime(date).timestamp()
            return pause if 0 < pause <= _LONGEST_PATIENCE else None
    except (ValueError, TypeError):
        return None
    return None
