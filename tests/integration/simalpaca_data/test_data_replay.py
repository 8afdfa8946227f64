"""Replays of stored bars through streams."""

import asyncio
import datetime as dt
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.integration.history.history_samples import DAY_BARS, bars, ns
from tests.integration.simalpaca_data.data_server import get, served, service, stream, until
from tests.integration.simalpaca_data.data_store import DAYS, build
from tradingd.history.store import Store
from tradingd.simalpaca.marketdata.service import Service
from tradingd.simalpaca.ports import Bar


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("store"))


class Market:
    """What the trading side does with a replay: takes the time, then publishes."""

    def __init__(self) -> None:
        self.ts = 0
        self.data: Service | None = None
        self.told: list[tuple[int, list[Bar]]] = []

    def now(self) -> int:
        return self.ts or ns("2100-01-01T00:00:00")

    async def tell(self, ts: int, told: Sequence[Bar]) -> None:
        self.ts = ts
        self.told.append((ts, list(told)))
        assert self.data is not None
        self.data.publish(ts, told)


def replayed(root: Path, **options: Any) -> list[tuple[int, list[Bar]]]:
    """Everything that a replay tells."""

    async def run() -> list[tuple[int, list[Bar]]]:
        market = Market()
        market.data = service(root, now=market.now, **options)
        await market.data.replay(market.tell)
        await market.data.close()
        return market.told

    return asyncio.run(run())


def test_all_symbols_of_a_close_are_told_together_in_time_order(root: Path) -> None:
    told = replayed(root)
    assert len(told) == 3 * 390
    assert [ts for ts, _ in told] == sorted({ts for ts, _ in told})
    assert all([one.symbol for one in batch] == ["AAPL", "SPY"] for _, batch in told)
    assert told[0] == (
        ns("2024-01-02T14:31:00"),
        [Bar("AAPL", *[190 * 10**9] * 4, 100), Bar("SPY", *[470 * 10**9] * 4, 100)],
    )


def test_days_and_symbols_can_be_chosen(root: Path) -> None:
    day = dt.date(2024, 1, 3)
    told = replayed(root, symbols=["SPY"], start=day, end=day)
    assert (told[0][0], told[-1][0]) == (ns("2024-01-03T14:31:00"), ns("2024-01-03T21:00:00"))
    assert {len(batch) for _, batch in told} == {1}
    assert replayed(root, symbols=["NONE"]) == []


def test_a_replay_goes_on_after_what_the_book_has_seen(root: Path) -> None:
    seen = ns("2024-01-04T20:58:00")
    assert [ts for ts, _ in replayed(root, after=seen)] == [
        ns("2024-01-04T20:59:00"),
        ns("2024-01-04T21:00:00"),
    ]


def test_days_are_told_at_their_close(root: Path) -> None:
    told = replayed(root, bars="1d")
    assert [ts for ts, _ in told] == [ns(f"{day}T21:00:00") for day in DAYS]
    assert [one.symbol for one in told[0][1]] == ["OLD", "SPY"]


def test_time_runs_at_the_speed_and_nights_are_cut(root: Path) -> None:
    began = time.monotonic()
    day = dt.date(2024, 1, 3)
    replayed(root, start=day, end=day, speed=390 * 60)  # a session a second
    assert 0.9 <= time.monotonic() - began <= 20
    began = time.monotonic()
    replayed(root, bars="1d", end=day, speed=60)  # a night of 24 minutes at this speed
    assert 1.9 <= time.monotonic() - began <= 20


def test_a_replay_waits_for_a_client_and_shows_nothing_before(root: Path) -> None:
    async def run() -> Any:
        market = Market()
        market.data = service(root, now=market.now, client_waiting=True)
        async with served(market.data) as url:
            task = asyncio.create_task(market.data.replay(market.tell))
            async with stream(url) as client:
                await client.log_in(quotes=["SPY"])
                rows = {"symbols": "SPY", "timeframe": "1Min", "start": "2024-01-01"}
                _, early = await get(url, "/v2/stocks/bars", **rows)
                assert market.told == []
                await client.send(action="subscribe", bars=["SPY"])
                await client.frame()
                got = 0
                while got < 3 * 390:
                    got += sum(one["T"] == "b" for one in await client.frame())
                await task
                _, late = await get(url, "/v2/stocks/bars", **rows, limit="5000")
            return early["bars"], len(late["bars"]["SPY"])

    early, late = asyncio.run(run())
    assert early == {}
    assert late == 3 * 390


def test_a_replay_at_full_speed_loses_nothing(root: Path) -> None:
    async def run() -> int:
        market = Market()
        market.data = service(root, now=market.now, client_waiting=True)
        async with served(market.data) as url, stream(url) as client:
            await client.log_in(bars=["*"])
            task = asyncio.create_task(market.data.replay(market.tell))
            got = 0
            while got < 2 * 3 * 390:
                got += len(await client.frame())
            await task
            return got

    assert asyncio.run(run()) == 2 * 3 * 390


def test_memory_does_not_grow_with_history(tmp_path: Path) -> None:
    """Years of days pass through; only the last bars of each symbol are kept."""
    days = [dt.date(1990, 1, 1) + dt.timedelta(days=n) for n in range(9_000)]
    with Store(tmp_path).batch("years") as batch:
        for symbol in ("A", "B"):
            stamps = [ns(f"{day}T20:00:00") for day in days]
            batch.bars(DAY_BARS, symbol, bars(stamps, ["10"] * len(days)))

    async def run() -> tuple[int, int]:
        count = 0

        async def tell(ts: int, told: Sequence[Bar]) -> None:
            nonlocal count
            count += len(told)
            data.publish(ts, told)

        data = service(tmp_path, bars="1d")
        await data.replay(tell)
        kept = sum(len(one) for one in data._told.values())
        await data.close()
        return count, kept

    assert asyncio.run(run()) == (18_000, 4)


def test_a_replay_can_be_cancelled(root: Path) -> None:
    async def run() -> int:
        market = Market()
        market.data = service(root, now=market.now, speed=60.0)
        task = asyncio.create_task(market.data.replay(market.tell))
        await until(lambda: market.told)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await market.data.close()
        return len(market.told)

    assert asyncio.run(run()) < 5


def test_corporate_actions_come_once_before_the_first_bars_of_their_day(root: Path) -> None:
    def order(**options: Any) -> list[Any]:
        async def run() -> list[Any]:
            market = Market()
            market.data = service(root, now=market.now, **options)
            seen: list[Any] = []
            market.data.on_action = lambda one: seen.append((one["kind"], len(market.told), one))
            await market.data.replay(market.tell)
            await market.data.close()
            return seen

        return asyncio.run(run())

    dividend, split = order(symbols=["SPY"])
    assert (dividend[:2], split[:2]) == (("dividend", 390), ("split", 780))
    assert dividend[2]["amount"] == "1.906"
    assert split[2] == {
        "kind": "split",
        "symbol": "SPY",
        "ex_date": "2024-01-04",
        "ts": ns("2024-01-04T05:00:00"),
        "numerator": 2,
        "denominator": 1,
        "amount": "0",
        "old_symbol": "",
    }
    assert [one[0] for one in order(symbols=["SPY"], after=ns("2024-01-03T21:00:00"))] == ["split"]
    assert order(symbols=["SPY"], after=ns("2024-01-04T14:31:00")) == []
    assert [one[0] for one in order(bars="1d")] == ["dividend", "split", "split"]
