"""Worked orders in a session of real parts: engine, shim, gate, journal, broker process."""

import asyncio
import contextlib
import gc
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.integration.engine.engine_kit import Row, simulate
from tests.integration.engine.engine_kit import Script as Past
from tests.integration.engine_live.live_kit import Script, session_of
from tests.integration.engine_live.real_kit import free_broker, real
from tradingd.config.execution import LimitStyle
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.market import Resolution
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side
from tradingd.domain.states import Scope

DAY = "2024-01-03"
MINUTE = 60_000_000_000
SECOND = 1_000_000_000


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Collect a test's engine objects on the thread that made them."""
    yield
    gc.collect()


def style(**changes: object) -> LimitStyle:
    plain = {"offset_bps": 5, "spread_share": 0, "volatility_share": 0}
    return msgspec.convert({**plain, **changes}, LimitStyle)


def batches(*rows: tuple) -> list[Batch]:
    first = session_of(DAY).open_ns
    return [
        Batch(
            first + (index + 1) * MINUTE,
            (MarketBar("AAA", *[nanos(str(one)) for one in row[:4]], 100_000),),
        )
        for index, row in enumerate(rows)
    ]


def flat(price: object = 100) -> tuple:
    return (price, price, price, price)


def buy(quantity: int = 100, **options: object) -> Any:
    return lambda s: s.enter("AAA", Side.BUY, quantity, reason="a test", **options)


def leave(**options: object) -> Any:
    return lambda s: s.exit("AAA", reason="enough", **options)


def table(folder: Path, query: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(folder / "journal.sqlite")) as link:
        return link.execute(query).fetchall()


def columns(folder: Path) -> str:
    found = {row[1] for row in table(folder, "PRAGMA table_info(orders)")}
    return "limit_price" if "limit_price" in found else '"limit"'


RISING = [
    flat(100),
    (100.1, 100.2, 100.08, 100.1),
    (100.3, 100.4, 100.2, 100.3),
    (100.4, 100.4, 100.15, 100.2),
    (100.2, 100.3, 100.1, 100.2),
    (100.1, 100.1, 99.9, 99.9),
    (99.7, 99.75, 99.6, 99.7),
    (99.5, 99.5, 99.4, 99.4),
    *[flat(99.3)] * 8,
]
"""Runs away from a buyer, comes back; then falls away from a seller."""


@pytest.mark.parametrize(
    "changes",
    [{}, {"reprices": 2}, {"slices": 3, "slice_seconds": 120}, {"timeout_seconds": 90}],
    ids=["prices", "fewer prices", "parts", "time between bars"],
)
def test_a_session_works_orders_as_the_backtest_of_the_same_bars(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    acts = {0: buy(stop=95.0), 5: leave()}
    bars = batches(*RISING)
    rows = [
        Row(
            "AAA",
            one.ts,
            *(f"{price / 1e9:.4f}" for price in (bar.open, bar.high, bar.low, bar.close)),
        )
        for one in bars
        for bar in one.bars
    ]
    past = simulate(Past(acts), rows, Resolution.MINUTE, style=style(**changes))
    # The backtest's engine dies here, not when the journal's thread collects.
    gc.collect()

    async def session() -> None:
        script = Script({number + 1: act for number, act in acts.items()})
        async with real(tmp_path, [script], style=style(**changes)) as one:
            await one.play(*bars)
            assert not one.faults

    with free_broker(tmp_path, "--arrivals", "next-bar"):
        asyncio.run(session())
    limit = columns(tmp_path)
    told = table(
        tmp_path,
        f"SELECT type, quantity, filled, {limit}, purpose, reason FROM orders"
        " WHERE purpose != 'PROTECT' ORDER BY id",
    )
    # A backtest records an order when it is over, and calls the last ones expired.
    ours = sorted(past.tables.orders, key=lambda one: one.seq)
    assert told == [
        (one.type, one.quantity, one.filled_quantity, one.limit_price, one.purpose, one.reason)
        for one in ours
        if one.purpose != "PROTECT"
    ]
    fills = table(tmp_path, "SELECT quantity, price, purpose, reason FROM fills ORDER BY id")
    assert fills == [
        (one.quantity, one.price, one.purpose, one.reason) for one in past.tables.fills
    ]
    assert fills, "something was traded"
    unfilled = table(tmp_path, "SELECT observed, explanation FROM decisions ORDER BY id")
    assert unfilled == [(one.observed, one.explanation) for one in past.tables.denials]


def test_children_are_journaled_with_their_parent_and_their_step(tmp_path: Path) -> None:
    async def session() -> None:
        script = Script({1: buy(stop=95.0)})
        async with real(tmp_path, [script], style=style()) as one:
            await one.play(*batches(flat(), flat(101), flat(101)))
            (parent,) = script.results
            rows = table(tmp_path, "SELECT parent_id, reason FROM orders WHERE purpose = 'ENTRY'")
            assert [row[0] for row in rows] == [parent] * 3
            assert rows[2][1] == "a test | worked 3/4 at 100.50, 0 of 100 filled"
            assert parent not in {one[0] for one in table(tmp_path, "SELECT order_id FROM orders")}

    with free_broker(tmp_path, "--arrivals", "next-bar"):
        asyncio.run(session())


def test_a_partial_fill_is_guarded_at_once_and_so_is_the_rest(tmp_path: Path) -> None:
    async def session() -> None:
        script = Script({1: buy(stop=95.0)})
        async with real(tmp_path, [script], style=style()) as one:
            await one.broker.misbehave({"script": {"submit": [{"fault": "partial", "pieces": 4}]}})
            bars = batches(*[flat()] * 6)
            await one.play(bars[0])
            assert script.position("AAA") == 25
            assert script.stop_price("AAA") == 95.0
            assert one.shim.unprotected() == []
            assert script.pending("AAA")
            await one.play(*bars[1:])
            assert script.position("AAA") == 100
            stops = [row for row in one.shim.open_orders() if row.purpose == "PROTECT"]
            assert [(row.quantity, row.stop) for row in stops] == [(100, nanos(95))]

    with free_broker(tmp_path):
        asyncio.run(session())


def test_a_cancel_that_is_not_confirmed_blocks_the_next_price(tmp_path: Path) -> None:
    async def session() -> None:
        script = Script({1: buy()})
        async with real(tmp_path, [script], style=style()) as one:
            bars = batches(flat(), flat(101), flat(101), flat(101))
            await one.play(bars[0])
            await one.broker.misbehave({"script": {"cancel": [{"fault": "delay", "seconds": 0.4}]}})
            one.clock.advance(bars[1].ts)
            await one.broker.market(bars[1])
            await one.broker.drained()
            one.shim.on_batch(bars[1])
            await one.engine.deliver(bars[1])
            await asyncio.sleep(0.05)
            working = [row for row in one.shim.open_orders() if row.purpose == "ENTRY"]
            assert [(row.quantity, row.cancel_asked) for row in working] == [(100, True)]
            await one.play(*bars[2:])
            assert len([row for row in one.shim.open_orders() if row.purpose == "ENTRY"]) == 1
            assert len(orders_of(one)) == 3

    with free_broker(tmp_path, "--arrivals", "next-bar"):
        asyncio.run(session())


def orders_of(one: Any) -> list:
    return [row for row in one.shim.known_orders() if row.purpose != "PROTECT"]


def test_what_an_operator_takes_back_is_not_sent_again(tmp_path: Path) -> None:
    async def session() -> None:
        script = Script({1: buy()})
        async with real(tmp_path, [script], style=style()) as one:
            bars = batches(flat(), flat(101), flat(101), flat(101))
            await one.play(*bars[:2])
            await one.shim.cancel_all(Scope(), reason="by hand", author="operator")
            await one.play(*bars[2:])
            assert len(orders_of(one)) == 2
            assert not script.pending("AAA")
        (told,) = table(tmp_path, "SELECT explanation FROM decisions")[0]
        assert "taken back by others" in told

    with free_broker(tmp_path, "--arrivals", "next-bar"):
        asyncio.run(session())


def test_after_a_crash_an_entry_is_given_up_and_an_exit_goes_to_the_market(tmp_path: Path) -> None:
    """A process ends without taking anything back; the next one finds its children working."""
    prices = [*[flat()] * 3, *[flat(101)] * 3, *[flat(99)] * 3]
    bars = batches(*prices)

    async def process(acts: dict[int, Any], *mine: Batch) -> tuple[list, list, int, float | None]:
        script = Script(acts)
        async with real(tmp_path, [script], style=style()) as one:
            await one.engine.warm_up([])
            await one.play(*mine)
            assert not one.faults
            known = [(row.purpose, row.type, row.filled, row.state) for row in orders_of(one)]
            left = [row.purpose for row in one.shim.open_orders() if row.purpose != "PROTECT"]
            return known, left, script.position("AAA"), script.stop_price("AAA")

    with free_broker(tmp_path, "--arrivals", "next-bar"):
        enter = {1: buy(stop=90.0), 3: buy(50, stop=90.0)}
        *_, left, held, stop = asyncio.run(process(enter, *bars[:3]))
        assert (left, held, stop) == (["ENTRY"], 100, 90.0)
        known, left, held, stop = asyncio.run(process({2: leave()}, *bars[3:5]))
        assert known[-2] == ("ENTRY", "LIMIT", 0, "CANCELED")
        assert (left, held, stop) == (["EXIT"], 100, 90.0)
        known, left, held, stop = asyncio.run(process({}, *bars[6:]))
    assert known[-2:] == [("EXIT", "LIMIT", 0, "CANCELED"), ("EXIT", "MARKET", 100, "FILLED")]
    assert (left, held, stop) == ([], 0, None)
    (reason,) = table(tmp_path, "SELECT reason FROM orders WHERE purpose = 'EXIT' ORDER BY id")[-1]
    assert reason == "enough | worked: the rest after a restart"


def test_where_exits_may_not_share_shares_what_is_guarded_leaves_at_the_market(
    tmp_path: Path,
) -> None:
    async def session() -> None:
        script = Script({1: buy(stop=95.0), 3: leave()})
        async with real(tmp_path, [script], style=style(), exits_share=False) as one:
            await one.play(*batches(*[flat()] * 5))
            assert [(row.purpose, row.type) for row in orders_of(one)] == [
                ("ENTRY", "LIMIT"),
                ("EXIT", "MARKET"),
            ]
            assert script.position("AAA") == 0

    with free_broker(tmp_path, "--arrivals", "next-bar"):
        asyncio.run(session())
