"""Whatever clients do, stream, lists, activities, positions and the book tell one story."""

import sqlite3
from collections import Counter
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, strategies

from tests.integration.simalpaca_trading.exchange_kit import Ear, Exchange
from tests.integration.simalpaca_trading.wishes_kit import changes, wishes

BARS = strategies.lists(strategies.integers(70, 130), min_size=4, max_size=4)
STEPS = strategies.one_of(
    strategies.tuples(strategies.just("submit"), wishes()),
    strategies.tuples(strategies.just("submit"), wishes()),
    strategies.tuples(strategies.just("patch"), changes()),
    strategies.tuples(strategies.just("cancel"), strategies.none()),
    strategies.tuples(
        strategies.just("bar"),
        strategies.lists(strategies.integers(70, 130), min_size=4, max_size=4),
    ),
    strategies.tuples(strategies.just("bar"), strategies.just([100, 101, 99, 100])),
    strategies.tuples(strategies.just("split"), strategies.sampled_from([(2, 1), (1, 2)])),
)
TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop")
FINAL = {"filled", "canceled", "expired", "rejected", "replaced"}


class Story:
    """What the stream told of orders of one symbol, against what can be asked."""

    def __init__(self, exchange: Exchange, ear: Ear, symbol: str, seed: int) -> None:
        self.exchange = exchange
        self.ear = ear
        self.symbol = symbol
        self.told: dict[str, Any] = {}
        self.splits = 0
        exchange.misbehave(seed=seed, probabilities={"partial": 0.5}, ops=["submit"])
        exchange.bar(symbol, "100")

    def step(self, what: str, how: Any) -> None:
        exchange = self.exchange
        match what:
            case "submit":
                exchange.ask("POST", "/v2/orders", how | {"symbol": self.symbol})
            case "patch" | "cancel":
                found = exchange.get(f"/v2/orders?symbols={self.symbol}")
                if found:
                    method = "PATCH" if what == "patch" else "DELETE"
                    exchange.ask(method, f"/v2/orders/{found[0]['id']}", fitting(found[0], how))
            case "bar":
                bar = (how[0], max(how), min(how), how[3])
                exchange.bar(self.symbol, *(str(price) for price in bar))
            case "split":
                self.splits += 1
                exchange.tell("corporate_action", kind="split", symbol=self.symbol,
                    ex_date=f"{self.splits}", ts=exchange.ts, numerator=how[0],
                    denominator=how[1])  # fmt: skip

    def listen(self) -> None:
        """Take in every update up to now: behind the last one comes an answer."""
        self.ear.socket.send('{"action": "listen", "data": {"streams": ["trade_updates"]}}')
        for told in self.ear.until_listening():
            order = told["order"]
            before = self.told.get(order["id"])
            assert before is None or before["status"] not in FINAL, "nothing follows the end"
            assert before is None or int(order["filled_qty"]) >= int(before["filled_qty"])
            self.told[order["id"]] = order

    def check(self) -> None:
        orders = self.orders()
        self.check_orders(orders)
        self.check_fills(orders)
        self.check_book()

    def orders(self) -> dict[str, Any]:
        found = self.exchange.get(f"/v2/orders?status=all&limit=500&symbols={self.symbol}")
        return {order["id"]: order for order in found}

    def check_orders(self, orders: dict[str, Any]) -> None:
        for order in orders.values():
            assert 0 <= int(order["filled_qty"]) <= int(order["qty"])
            assert (order["status"] == "filled") == (order["filled_qty"] == order["qty"])
            told = self.told.get(order["id"])
            if told is None:
                assert order["status"] in ("held", *FINAL)
            else:
                now = (order["status"], order["filled_qty"], order["filled_avg_price"])
                assert (told["status"], told["filled_qty"], told["filled_avg_price"]) == now
        holds = Counter[str]()
        for order in orders.values():
            if order["status"] in ("new", "partially_filled") and not order.get("group_id"):
                holds[order["side"]] += int(order["qty"]) - int(order["filled_qty"])
        position = self.exchange.held(self.symbol)
        if position and not self.splits:
            side = "sell" if position > 0 else "buy"
            assert holds[side] <= abs(position), "no position is closed twice"

    def check_fills(self, orders: dict[str, Any]) -> None:
        fills: list[Any] = []
        query = "direction=asc&page_size=100"
        while page := self.exchange.get(
            f"/v2/account/activities/FILL?{query}"
            + (f"&page_token={fills[-1]['id']}" if fills else "")
        ):
            fills += page
        fills = [fill for fill in fills if fill["symbol"] == self.symbol]
        filled, traded = Counter[str](), 0
        for fill in fills:
            filled[fill["order_id"]] += int(fill["qty"])
            assert fill["cum_qty"] == str(filled[fill["order_id"]])
            traded += int(fill["qty"]) * (1 if fill["side"] == "buy" else -1)
        assert filled == {
            i: int(o["filled_qty"]) for i, o in orders.items() if o["filled_qty"] != "0"
        }
        splits = self.exchange.get("/v2/account/activities/SPLIT?page_size=100")
        changed = sum(int(one.get("qty", 0)) for one in splits if one["symbol"] == self.symbol)
        assert traded + changed == self.exchange.held(self.symbol)

    def check_book(self) -> None:
        path = (self.exchange.state / "simbroker.sqlite").resolve()
        database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        chains = database.execute(
            "SELECT book_id, SUM(filled), SUM(paid) FROM alpaca_orders WHERE symbol = ?"
            " GROUP BY book_id ORDER BY 1",
            (self.symbol,),
        ).fetchall()
        book = database.execute(
            "SELECT broker_order_id, filled, paid FROM orders WHERE symbol = ? ORDER BY 1",
            (self.symbol,),
        ).fetchall()
        database.close()
        assert chains == book


def fitting(order: Any, change: Any) -> Any:
    """Return what of a change suits the order's type; None stays None."""
    apart = {"limit_price": ("limit", "stop_limit"), "stop_price": ("stop", "stop_limit")}
    apart["trail"] = ("trailing_stop",)
    return change and {
        name: value for name, value in change.items() if order["type"] in apart.get(name, TYPES)
    }


def test_stream_lists_activities_positions_and_book_tell_one_story(shared):
    ear = shared.listen()
    taken = Counter[str]()

    @hypothesis.given(
        steps=strategies.lists(STEPS, min_size=10, max_size=25), seed=strategies.integers(0, 99)
    )
    @hypothesis.settings(
        max_examples=20,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(steps: list[tuple[str, Any]], seed: int) -> None:
        story = Story(shared, ear, shared.symbol(), seed)
        for what, how in steps:
            story.step(what, how)
        story.listen()
        story.check()
        taken.update(order["status"] for order in story.orders().values())

    with ear:
        check()
    shared.tell("reset_faults")
    assert {"filled", "canceled", "replaced", "new"} <= set(taken), taken


@pytest.mark.slow
def test_the_story_holds_over_many_conversations(shared):
    ear = shared.listen()

    @hypothesis.given(
        steps=strategies.lists(STEPS, min_size=10, max_size=40), seed=strategies.integers(0, 10**6)
    )
    @hypothesis.settings(
        max_examples=60,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(steps: list[tuple[str, Any]], seed: int) -> None:
        story = Story(shared, ear, shared.symbol(), seed)
        for what, how in steps:
            story.step(what, how)
        story.listen()
        story.check()

    with ear:
        check()
    shared.tell("reset_faults")
