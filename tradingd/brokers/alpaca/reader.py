"""Reads of the account, page by page: raw rows of Alpaca, each once. Knows nothing of names."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from tradingd.brokers.alpaca import parsing, times
from tradingd.brokers.alpaca.client import SOON, Client
from tradingd.brokers.alpaca.parsing import Body, Unreadable
from tradingd.brokers.alpaca.replies import Answered, Refused, Reply
from tradingd.domain.broker import BrokerUnavailable

ORDERS: Final = 500
ACTIVITIES: Final = 100
"""Rows of a page, the most that Alpaca gives."""

_NOT_FOUND: Final = 404
_SECOND: Final = 1_000_000_000

type Enough = Callable[[Sequence[Body]], bool]


class Reader:
    """Asks the questions that have more than one row for an answer.

    Parameters
    ----------
    client : Client
        Transport.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def one(self, path: str, params: Mapping[str, object] | None = None) -> Body:
        """Return one object.

        Raises
        ------
        BrokerUnavailable
            When there is no answer, or one that cannot be read.
        """
        return _read(parsing.row, path, await self._client.question(path, params))

    async def found(self, path: str, params: Mapping[str, object] | None = None) -> Body | None:
        """Return one object, None when Alpaca says that there is none.

        Raises
        ------
        BrokerUnavailable
            When there is no answer; a "not found" of anybody but Alpaca proves nothing.
        """
        reply = await self._client.question(path, params)
        if isinstance(reply, Refused) and reply.status == _NOT_FOUND and _alpacas_own(reply):
            return None
        return _read(parsing.row, path, reply)

    async def order(self, order_id: str, *, nested: bool = False) -> Body | None:
        """Return one order by Alpaca's id."""
        path = f"/orders/{quote(order_id, safe='')}"
        return await self.found(path, {"nested": "true"} if nested else None)

    async def order_by_name(self, client_order_id: str) -> Body | None:
        """Return one order by the id that was sent."""
        path = "/orders:by_client_order_id"
        return await self.found(path, {"client_order_id": client_order_id})

    async def rows(
        self, path: str, params: Mapping[str, object] | None = None, *, priority: int = SOON
    ) -> list[Body]:
        """Return the rows of one answer.

        Raises
        ------
        BrokerUnavailable
            When there is no answer, or one that cannot be read.
        """
        return _read(
            parsing.rows, path, await self._client.question(path, params, priority=priority)
        )

    async def orders(
        self, filters: Mapping[str, object], *, enough: Enough = lambda _page: False
    ) -> list[Body]:
        """Return orders, newest first, until there are no more or a page is enough.

        Orders of the same moment may lie on both sides of a page's end: the next page begins after
        an order, not after a time.
        """
        params = {"limit": ORDERS, "direction": "desc", **filters}
        found: dict[str, Body] = {}
        cursor: dict[str, object] = {}
        while True:
            page = await self.rows("/orders", {**params, **cursor})
            fresh = {parsing.text(row, "id"): row for row in page}
            fresh = {key: row for key, row in fresh.items() if key and key not in found}
            found.update(fresh)
            if len(page) < ORDERS or enough(page):
                return list(found.values())
            cursor = _next_page(page, cursor, fresh=bool(fresh))

    async def activities(self, kind: str, since_ns: int, **filters: object) -> list[Body]:
        """Return account activities from a time on, oldest first.

        `kind` is a type of activity, empty for all. The filter is a second early: it is exclusive.
        """
        path = f"/account/activities/{kind}" if kind else "/account/activities"
        params: dict[str, object] = {"direction": "asc", "page_size": ACTIVITIES, **filters}
        if since_ns > _SECOND:
            params["after"] = times.second(since_ns - _SECOND)
        found: dict[str, Body] = {}
        while True:
            page = await self.rows(path, params)
            fresh = [row for row in page if parsing.text(row, "id") not in found]
            found.update((parsing.text(row, "id"), row) for row in fresh)
            if len(page) < ACTIVITIES:
                return list(found.values())
            if not fresh:
                raise BrokerUnavailable(f"{path} gives the same page again")
            params["page_token"] = parsing.text(page[-1], "id")


def _next_page(
    page: Sequence[Body], cursor: Mapping[str, object], *, fresh: bool
) -> dict[str, object]:
    last = page[-1]
    if fresh and "until" not in cursor:
        return {"before_order_id": parsing.text(last, "id")}
    # A server that does not know `before_order_id` gives the first page again: go on by time.
    until = times.ns(last.get("submitted_at") or last.get("created_at"))
    if not until or cursor.get("until") == times.text(until + 1_000):
        raise BrokerUnavailable("a listing of orders gives the same page again")
    return {"until": times.text(until + 1_000)}


def _read[T](parse: Callable[[object], T], what: str, reply: Reply) -> T:
    match reply:
        case Answered(body):
            try:
                return parse(body)
            except Unreadable as error:
                raise BrokerUnavailable(f"{what}: {error}") from error
        case Refused():
            raise BrokerUnavailable(f"{what}: {reply.text()}")
    raise BrokerUnavailable(f"{what}: {reply.why}")


def _alpacas_own(reply: Refused) -> bool:
    return reply.code is not None or "not found" in reply.message.lower()
