"""The table of Alpaca's trading requests, each answered by the part that knows."""

import asyncio
import json
from collections.abc import Callable, Sequence

from aiohttp import web

from tradingd.simalpaca.stamps import SECOND
from tradingd.simalpaca.trading import calendar, fields
from tradingd.simalpaca.trading.account import Account
from tradingd.simalpaca.trading.activities import Activities
from tradingd.simalpaca.trading.book import Book
from tradingd.simalpaca.trading.changing import Changing
from tradingd.simalpaca.trading.conduct import DECISION
from tradingd.simalpaca.trading.errors import forbidden, not_found
from tradingd.simalpaca.trading.faults import PENDING, REJECT_LATER
from tradingd.simalpaca.trading.fields import Query
from tradingd.simalpaca.trading.listing import Listing
from tradingd.simalpaca.trading.placing import Placing
from tradingd.simalpaca.trading.positions import Positions
from tradingd.simalpaca.trading.settings import Settings
from tradingd.simalpaca.trading.wishes import read_change, read_wish
from tradingd.simbroker.faults import REJECT


class Routes:
    """Answers requests from the book.

    Parameters
    ----------
    book : Book
        The one book.
    skew : callable
        By how many seconds the clock is wrong now.
    """

    def __init__(self, book: Book, skew: Callable[[], float]) -> None:
        self._book = book
        self._skew = skew
        self._settings = Settings(book.desk.store)
        self._placing = Placing(book, self._settings)
        self._changing = Changing(book, self._settings)
        self._listing = Listing(book.ledger)
        self._positions = Positions(book, self._placing, self._changing)
        self._account = Account(book, self._settings)
        self._activities = Activities(book.desk.store, book.ledger, self._account.id)

    @property
    def changing(self) -> Changing:
        """What replaces and cancels orders."""
        return self._changing

    def table(self) -> Sequence[web.RouteDef]:
        """Return the routes."""
        get, post, patch, delete = web.get, web.post, web.patch, web.delete
        orders, order = "/v2/orders", "/v2/orders/{order_id}"
        position = "/v2/positions/{symbol}"
        configurations = "/v2/account/configurations"
        return [
            get("/v2/account", self._get_account),
            get(configurations, self._get_configurations),
            patch(configurations, self._patch_configurations),
            get("/v2/account/activities", self._get_activities),
            get("/v2/account/activities/{type}", self._get_activities),
            get("/v2/account/portfolio/history", self._get_history),
            get("/v2/orders:by_client_order_id", self._get_order_by_client_id),
            post(orders, self._post_order),
            get(orders, self._get_orders),
            delete(orders, self._delete_orders),
            get(order, self._get_order),
            patch(order, self._patch_order),
            delete(order, self._delete_order),
            get("/v2/positions", self._get_positions),
            delete("/v2/positions", self._delete_positions),
            get(position, self._get_position),
            delete(position, self._delete_position),
            get("/v2/assets", self._get_assets),
            get("/v2/assets/{symbol:.+}", self._get_asset),
            get("/v2/clock", self._get_clock),
            get("/v2/calendar", self._get_calendar),
        ]

    async def _get_account(self, request: web.Request) -> web.Response:
        return _json(self._account.view())

    async def _get_configurations(self, request: web.Request) -> web.Response:
        return _json(self._settings.view())

    async def _patch_configurations(self, request: web.Request) -> web.Response:
        wanted = await fields.body(request)
        return _json(self._book.change(lambda: self._settings.change(wanted)))

    async def _get_activities(self, request: web.Request) -> web.Response:
        only = request.match_info.get("type", "")
        return _json(self._activities.many(Query(request), only))

    async def _get_history(self, request: web.Request) -> web.Response:
        return _json(self._account.history(Query(request)))

    async def _post_order(self, request: web.Request) -> web.Response:
        decision = request[DECISION]
        wish = read_wish(await fields.body(request))
        if decision.fault == REJECT:
            raise forbidden("injected rejection")
        made = self._placing.submit(
            wish, pieces=decision.pieces, rejected=decision.fault == REJECT_LATER
        )
        return _json(made)

    async def _get_orders(self, request: web.Request) -> web.Response:
        return _json(self._listing.many(Query(request)))

    async def _get_order(self, request: web.Request) -> web.Response:
        nested = Query(request).flag("nested")
        return _json(self._listing.one(request.match_info["order_id"], nested=nested))

    async def _get_order_by_client_id(self, request: web.Request) -> web.Response:
        return _json(self._listing.named(Query(request).text("client_order_id")))

    async def _patch_order(self, request: web.Request) -> web.Response:
        order_id = fields.order_id(request.match_info["order_id"])
        change = read_change(await fields.body(request))
        if request[DECISION].fault == REJECT:
            raise forbidden("injected rejection")
        return _json(self._changing.replace(order_id, change))

    async def _delete_order(self, request: web.Request) -> web.Response:
        order_id = fields.order_id(request.match_info["order_id"])
        decision = request[DECISION]
        if decision.fault == REJECT:
            raise forbidden("injected rejection")
        if decision.fault == PENDING:
            cancel = self._changing.cancel_later(order_id)
            asyncio.get_running_loop().call_later(decision.late, cancel)
        else:
            self._changing.cancel(order_id)
        return web.Response(status=204)

    async def _delete_orders(self, request: web.Request) -> web.Response:
        if request[DECISION].fault == REJECT:
            raise forbidden("injected rejection")
        return _json(self._changing.cancel_all(), status=207)

    async def _get_positions(self, request: web.Request) -> web.Response:
        return _json(self._positions.many())

    async def _get_position(self, request: web.Request) -> web.Response:
        return _json(self._positions.one(request.match_info["symbol"]))

    async def _delete_position(self, request: web.Request) -> web.Response:
        return _json(self._positions.close(request.match_info["symbol"], Query(request)))

    async def _delete_positions(self, request: web.Request) -> web.Response:
        cancel_orders = Query(request).flag("cancel_orders")
        return _json(self._positions.close_all(cancel_orders=cancel_orders), status=207)

    async def _get_assets(self, request: web.Request) -> web.Response:
        query, assets = Query(request), self._book.assets
        found = [assets.get(symbol) for symbol in assets.symbols()]
        wanted = {
            "status": query.text("status"),
            "class": query.text("asset_class"),
            "exchange": query.text("exchange"),
        }
        shown = [
            asset
            for asset in found
            if asset is not None
            and all(value in ("", asset[name]) for name, value in wanted.items())
            and not query.list("attributes")
        ]
        return _json(shown)

    async def _get_asset(self, request: web.Request) -> web.Response:
        symbol = request.match_info["symbol"]
        asset = self._book.assets.get(symbol)
        if asset is None:
            raise not_found(f"asset not found for {symbol}")
        return _json(asset)

    async def _get_clock(self, request: web.Request) -> web.Response:
        return _json(calendar.clock(self._book.now() + int(self._skew() * SECOND)))

    async def _get_calendar(self, request: web.Request) -> web.Response:
        return _json(calendar.calendar(Query(request), self._book.marks.today()))


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(
        text=json.dumps(body, separators=(",", ":")), status=status, content_type="application/json"
    )
