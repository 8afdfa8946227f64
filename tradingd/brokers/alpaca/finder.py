"""Asks Alpaca until it is known whose an order is, and until its chain is whole."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from tradingd.brokers.alpaca import chain, names, parsing, times
from tradingd.brokers.alpaca.parsing import Body, Link, Unreadable
from tradingd.brokers.alpaca.reader import Reader
from tradingd.brokers.alpaca.registry import Change, Registry
from tradingd.domain.broker import BrokerUnavailable
from tradingd.domain.broker_reports import BrokerOrder

FEW: Final = 4
"""Orders that are asked for one by one; more are looked for in listings first."""

PAGES: Final = 20
"""Pages of a listing that are read for missing orders before they are asked for one by one."""

_AROUND: Final = 5_000_000_000
_DEEP: Final = 100


class Finder:
    """Completes the registry from Alpaca.

    Parameters
    ----------
    registry, reader : Registry, Reader
        What is known; where to ask.
    noted : Callable
        Hears every change that a question has shown.
    """

    def __init__(
        self, registry: Registry, reader: Reader, noted: Callable[[Sequence[Change]], None]
    ) -> None:
        self._registry = registry
        self._reader = reader
        self._noted = noted

    def learn(self, found: Iterable[Body]) -> list[Link]:
        """Take orders that a question has shown, with their legs; return them as they are known."""
        links = []
        for body in found:
            try:
                changes = self._registry.learn(body)
            except Unreadable as error:
                raise BrokerUnavailable(f"an order cannot be read: {error}") from error
            self._noted(changes)
            links += [change.now for change in changes]
        return links

    async def order(self, name: str) -> BrokerOrder | None:
        """Return an order by its name, asking for it; None proves that Alpaca does not have it.

        Raises
        ------
        BrokerUnavailable
            When there is no answer.
        """
        found = await self._newest(name)
        if found is None:
            return None
        await self.complete([found.id])
        await self._changing(name)
        return self._registry.order(found.id)

    async def identify(self, ids: Iterable[str]) -> None:
        """Make sure that it is known whose these orders are.

        Raises
        ------
        BrokerUnavailable
            When there is no answer.
        """
        for _ in range(_DEEP):
            nameless = [one for one in ids if self._registry.name(one) is None]
            if not nameless:
                return
            before = [link for one in nameless if (link := self._unknown_before(one)) is not None]
            if before:
                await self.fetch({link.replaces for link in before})
                for link in before:
                    if self._registry.link(link.replaces) is None:
                        self._registry.settle(link.id)
            else:
                await self._find_parents(nameless)
                for one in nameless:
                    self._registry.settle(one)

    async def complete(self, ids: Sequence[str]) -> None:
        """Make sure that the chains of these orders are whole, and whose they are.

        Links that were replaced since they were read are read again, once.

        Raises
        ------
        BrokerUnavailable
            When there is no answer.
        """
        absent: set[str] = set()
        again: set[str] = set()
        for _ in range(_DEEP):
            await self.identify(ids)
            named = [self._registry.chain(one) for one in ids if self._registry.name(one)]
            wanted = {key for links in named for key in chain.missing(links)} - absent
            behind = {key for links in named for key in chain.left_behind(links)} - again
            if not wanted and not behind:
                return
            absent |= await self.fetch(wanted)
            again |= behind
            await self.refresh(behind)

    async def fetch(self, ids: set[str]) -> set[str]:
        """Ask for orders by Alpaca's id; return those that Alpaca does not have.

        Raises
        ------
        BrokerUnavailable
            When there is no answer.
        """
        wanted = {one for one in ids if self._registry.link(one) is None}
        if len(wanted) > FEW:
            await self._search(wanted)
        absent = set()
        for one in sorted(wanted):
            if self._registry.link(one) is None:
                body = await self._reader.order(one)
                if body is None:
                    absent.add(one)
                else:
                    self.learn([body])
        return absent

    async def refresh(self, ids: set[str]) -> None:
        """Ask again for orders that are known, because they should have changed.

        Raises
        ------
        BrokerUnavailable
            When there is no answer.
        """
        left = set(ids)
        if len(left) > FEW:
            oldest = min(link.submitted for one in left if (link := self._registry.link(one)))
            seen = await self._listed(left, oldest)
            left -= seen
        for one in sorted(left):
            if (body := await self._reader.order(one)) is not None:
                self.learn([body])

    # -- private ---------------------------------------------------------------------------------

    async def _newest(self, name: str) -> Link | None:
        """Ask for the newest link that is known, else for the order as it was sent."""
        known = self._registry.links(name)
        body = await self._reader.order(chain.working(known).id) if known else None
        if body is None:
            sent = names.sent_name(name)
            body = await self._reader.order_by_name(sent)
            if body is None:
                return None
            if sent != name:
                body = await self._reader.order(parsing.text(body, "id"), nested=True)
                self.learn([body] if body else [])
                links = self._registry.links(name)
                return links[-1] if links else None
        return self.learn([body])[0]

    async def _changing(self, name: str) -> None:
        """Look for a change that Alpaca has taken and does not show at the old order yet."""
        links = self._registry.links(name)
        if not links or chain.working(links).status != chain.CHANGING:
            return
        follower = names.link(name, names.number(links[-1].client_order_id) + 1)
        if (body := await self._reader.order_by_name(follower)) is not None:
            self.learn([body])

    def _unknown_before(self, order_id: str) -> Link | None:
        link = self._registry.link(order_id)
        if link is None or not link.replaces or self._registry.link(link.replaces) is not None:
            return None
        return link

    async def _find_parents(self, ids: Sequence[str]) -> None:
        """Look for the orders that have these as their legs: made in the same moment."""
        by_symbol: dict[str, list[Link]] = {}
        for one in ids:
            if (link := self._root_of(one)) is not None:
                by_symbol.setdefault(link.symbol, []).append(link)
        for symbol, links in by_symbol.items():
            filters = {"status": "all", "nested": "true", "symbols": symbol}
            made = [link.submitted for link in links]
            near = {
                "after": times.text(min(made) - _AROUND),
                "until": times.text(max(made) + _AROUND),
            }
            self.learn(await self._reader.orders({**filters, **near}))
            if any(self._registry.name(link.id) is None for link in links):
                # Legs that wait are given a later time by some: look among all.
                self.learn(await self._reader.orders(filters, enough=_after(PAGES)))

    def _root_of(self, order_id: str) -> Link | None:
        link = self._registry.link(order_id)
        while link is not None and (before := self._registry.link(link.replaces)) is not None:
            link = before
        return link

    async def _search(self, wanted: set[str]) -> None:
        pages = _after(PAGES)

        def enough(page: Sequence[Body]) -> bool:
            self.learn(page)
            return pages(page) or all(self._registry.link(one) is not None for one in wanted)

        self.learn(await self._reader.orders({"status": "all"}, enough=enough))

    async def _listed(self, wanted: set[str], oldest: int) -> set[str]:
        """Read the listing of all orders back to a time; return which were in it."""
        seen: set[str] = set()
        pages = _after(PAGES)

        def enough(page: Sequence[Body]) -> bool:
            seen.update(parsing.text(row, "id") for row in page)
            return pages(page) or wanted <= seen or _made(page[-1]) < oldest

        found = await self._reader.orders({"status": "all"}, enough=enough)
        self.learn(found)
        return {parsing.text(row, "id") for row in found} & wanted


def _after(pages: int) -> Callable[[Sequence[Body]], bool]:
    left = iter(range(pages - 1, -1, -1))
    return lambda _page: next(left, 0) == 0


def _made(body: Body) -> int:
    return times.ns(body.get("submitted_at")) or times.ns(body.get("created_at"))
