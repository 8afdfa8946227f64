"""The REST side: stocks and corporate actions.

Answers are made in a worker thread: reading files would hold up the loop.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, Final

import msgspec
from aiohttp import web

from tradingd.simalpaca.marketdata import actions, pages, query, times, view
from tradingd.simalpaca.marketdata.derive import AlpacaBar
from tradingd.simalpaca.marketdata.errors import ApiError
from tradingd.simalpaca.marketdata.history import History, Moment
from tradingd.simalpaca.marketdata.pages import Rows
from tradingd.simalpaca.marketdata.query import Params
from tradingd.simalpaca.marketdata.store import StoredQuote, StoredTrade
from tradingd.simalpaca.marketdata.view import Json

_LOG: Final = logging.getLogger(__name__)
DELAY: Final = 15 * times.MINUTE
"""How much later delayed_sip knows everything."""

type Answer = Callable[[Sequence[str], Params, Moment], Json]
type Look = Callable[[str, Moment], Json | None]


class Rest:
    """Handlers of the data REST API.

    Parameters
    ----------
    history : History
        What they answer from.
    moment : Callable
        Returns what is known now of some symbols; called on the loop.
    authorized : Callable
        Tells whether a request's headers carry credentials that are let in.
    worker : Executor
        One thread, in which all answers are made.
    """

    def __init__(
        self,
        history: History,
        moment: Callable[[Sequence[str]], Moment],
        authorized: Callable[[Mapping[str, str]], bool],
        worker: Executor,
    ) -> None:
        self._history = history
        self._moment = moment
        self._authorized = authorized
        self._worker = worker

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        latest = {"bar": self._latest_bar, "quote": self._latest_quote, "trade": self._latest_trade}
        ranges = {"bars": self._bars, "quotes": self._quotes, "trades": self._trades}
        made = [
            web.get("/v1/corporate-actions", self._get(self._actions, symbols=False)),
            web.get("/v2/stocks/snapshots", self._get(_each(self._snapshot, ""))),
            web.get("/v2/stocks/{symbol}/snapshot", self._get(_flat(self._snapshot, "snapshot"))),
        ]
        for name, look in latest.items():
            made += [
                web.get(f"/v2/stocks/{name}s/latest", self._get(_each(look, f"{name}s"))),
                web.get(f"/v2/stocks/{{symbol}}/{name}s/latest", self._get(_one(look, name))),
            ]
        for name, answer in ranges.items():
            made += [
                web.get(f"/v2/stocks/{name}", self._get(answer)),
                web.get(f"/v2/stocks/{{symbol}}/{name}", self._get(_single(answer, name))),
            ]
        return made

    def _get(
        self, answer: Answer, *, symbols: bool = True
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                if not self._authorized(request.headers):
                    raise ApiError(401, "unauthorized.")
                names = _symbols(request) if symbols else []
                work = functools.partial(_made, answer, names, request.query, self._moment(names))
                body = await asyncio.get_running_loop().run_in_executor(self._worker, work)
            except ApiError as error:
                return web.Response(
                    status=error.status,
                    body=msgspec.json.encode(error.body),
                    content_type="application/json",
                )
            except Exception:  # noqa: BLE001  a fault of the server is an answer too
                _LOG.exception("a data request failed: %s", request.rel_url)
                broken = ApiError(500, "internal server error")
                return web.json_response(broken.body, status=500)
            return web.Response(body=body, content_type="application/json")

        return handle

    def _bars(self, symbols: Sequence[str], params: Params, at: Moment) -> Json:
        frame, split = query.frame(params), query.split_adjusted(params)
        rows = Rows[AlpacaBar](
            lambda symbol, span: self._history.bars(symbol, frame, span, at, split=split),
            lambda one: one.start,
        )
        return self._paged("bars", symbols, params, at, rows, view.bar)

    def _quotes(self, symbols: Sequence[str], params: Params, at: Moment) -> Json:
        rows = Rows[StoredQuote](
            lambda symbol, span: (self._history.quotes(symbol, span, at), False),
            lambda one: one.ts,
        )
        return self._paged("quotes", symbols, params, at, rows, view.quote)

    def _trades(self, symbols: Sequence[str], params: Params, at: Moment) -> Json:
        rows = Rows[StoredTrade](
            lambda symbol, span: (self._history.trades(symbol, span, at), False),
            lambda one: one.ts,
        )
        return self._paged("trades", symbols, params, at, rows, view.trade)

    def _paged[Row](
        self,
        name: str,
        symbols: Sequence[str],
        params: Params,
        at: Moment,
        rows: Rows[Row],
        write: Callable[[Row], Json],
    ) -> Json:
        wanted = query.rows(params, at.known)
        served = symbols if wanted.feed in query.STORED_FEEDS else []
        found, token = pages.page(served, wanted.span, rows, wanted.token)
        written = {symbol: [write(row) for row in part] for symbol, part in found.items()}
        return {name: written, "next_page_token": token, **_currency(params)}

    def _latest_bar(self, symbol: str, at: Moment) -> Json | None:
        found = self._history.latest_bar(symbol, at)
        return None if found is None else view.bar(found)

    def _latest_quote(self, symbol: str, at: Moment) -> Json | None:
        found = self._history.latest_quote(symbol, at)
        return None if found is None else view.quote(found)

    def _latest_trade(self, symbol: str, at: Moment) -> Json | None:
        found = self._history.latest_trade(symbol, at)
        return None if found is None else view.trade(found)

    def _snapshot(self, symbol: str, at: Moment) -> Json | None:
        days = [view.bar(one) for one in self._history.last_days(symbol, at)]
        parts = {
            "latestTrade": self._latest_trade(symbol, at),
            "latestQuote": self._latest_quote(symbol, at),
            "minuteBar": self._latest_bar(symbol, at),
            "dailyBar": days[0] if days else None,
            "prevDailyBar": days[1] if len(days) > 1 else None,
        }
        return view.snapshot(parts) or None

    def _actions(self, _: Sequence[str], params: Params, at: Moment) -> Json:
        wanted = actions.read(params, times.new_york_date(at.known))
        return actions.answer(wanted, self._history.actions(at))


def _made(answer: Answer, symbols: Sequence[str], params: Params, at: Moment) -> bytes:
    return msgspec.json.encode(answer(symbols, params, at))


def _symbols(request: web.Request) -> list[str]:
    single: Any = request.match_info.get("symbol")
    return query.symbols(request.query.get("symbols")) if single is None else [query.symbol(single)]


def _single(answer: Answer, name: str) -> Answer:
    """Answer for one symbol: its rows without a level of symbols."""

    def made(symbols: Sequence[str], params: Params, at: Moment) -> Json:
        body = answer(symbols, params, at)
        return {**body, name: body[name].get(symbols[0], []), "symbol": symbols[0]}

    return made


def _each(look: Look, name: str) -> Answer:
    """Answer with what is latest of each symbol; symbols without any are left out."""

    def made(symbols: Sequence[str], params: Params, at: Moment) -> Json:
        found = {symbol: look(symbol, _of_feed(params, at)) for symbol in symbols}
        known = {symbol: one for symbol, one in found.items() if one is not None}
        return {name: known, **_currency(params)} if name else known

    return made


def _one(look: Look, name: str) -> Answer:
    """Answer with what is latest of one symbol."""

    def made(symbols: Sequence[str], params: Params, at: Moment) -> Json:
        return {name: _found(look, name, symbols[0], params, at), **_named(symbols[0], params)}

    return made


def _flat(look: Look, name: str) -> Answer:
    """Answer with the parts of one symbol's object beside its name."""

    def made(symbols: Sequence[str], params: Params, at: Moment) -> Json:
        return {**_found(look, name, symbols[0], params, at), **_named(symbols[0], params)}

    return made


def _found(look: Look, name: str, symbol: str, params: Params, at: Moment) -> Json:
    found = look(symbol, _of_feed(params, at))
    if found is None:
        raise ApiError(400, f"no {name} found for {symbol}")
    return found


def _of_feed(params: Params, at: Moment) -> Moment:
    """Return what a feed knows: all of it, later, or nothing."""
    feed = query.latest_feed(params)
    if feed == "delayed_sip":
        return at._replace(known=at.known - DELAY)
    return at if feed in query.STORED_FEEDS else Moment(0)


def _named(symbol: str, params: Params) -> Json:
    return {"symbol": symbol, **_currency(params)}


def _currency(params: Params) -> Json:
    return {"currency": "USD"} if "currency" in params else {}
