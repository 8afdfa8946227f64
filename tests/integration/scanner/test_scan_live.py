"""A scan of a live feed: what was traded today already, and no minute twice."""

import asyncio
import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.alpaca_market import MINUTE, Market, bar, market
from tests.integration.feeds_alpaca.alpaca_feed_kit import MINUTES
from tradingd.app.scan import ScanRun
from tradingd.config.load import load
from tradingd.config.secrets import Secret

OPEN = MINUTES[0] - MINUTE
EARLY = [OPEN - minutes * MINUTE for minutes in (90, 60, 30)]
YESTERDAY = MINUTES[0] - 24 * 60 * MINUTE


class _Wall:
    def __init__(self, ts: int) -> None:
        self._offset = ts - time.monotonic_ns()

    def __call__(self) -> int:
        return time.monotonic_ns() + self._offset


def _run(one: Market, root: Path, now: int) -> ScanRun:
    overrides = (
        "feed=alpaca",
        f"feed.endpoint={one.url}",
        "feed.bar_grace_seconds=0.2",
        "universe=symbols",
        "universe.symbols=[AAPL,MSFT]",
        "scan.max_price=1000",
        "scan.min_gap_percent=-50",
        "scan.min_relative_volume=0",
        f"store.root={root}",
    )
    return ScanRun(load(list(overrides)).config, _secret, wall=_Wall(now))


def _secret(reference: str) -> Secret:
    return Secret(reference, "PKTEST" if "KEY_ID" in reference else "secret")


def test_minutes_before_the_open_and_today_are_read_when_a_live_scan_opens(tmp_path: Path) -> None:
    async def work() -> None:
        async with market() as one:
            one.tell(YESTERDAY, bar("AAPL", 10_000, 50), bar("MSFT", 20_000, 50))
            for close in EARLY:
                one.tell(close, bar("AAPL", 11_000, 700), bar("MSFT", 20_000, 1))
            scan = _run(one, tmp_path, EARLY[-1] + 10 * MINUTE)
            await asyncio.wait_for(scan.open(), 30)
            try:
                rows = {row.symbol: row for row in scan.table().rows}
            finally:
                await scan.close()
        assert rows["AAPL"].volume == 2_100
        assert rows["AAPL"].prior_close == Decimal(100)
        assert rows["AAPL"].gap_percent == pytest.approx(10.0)
        assert rows["MSFT"].volume == 3

    asyncio.run(work())
