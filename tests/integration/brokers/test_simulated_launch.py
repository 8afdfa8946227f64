import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import uvloop

from tests.integration.brokers.client_kit import bars, connected, order
from tests.integration.simbroker.sim_kit import Wire, wait_for
from tradingd.brokers.simulated.launch import ensure_running
from tradingd.kits.failure import ExitCode, Failure


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[Path]:
    """Return a socket whose broker, if any, is told to end."""
    path = tmp_path / "s.sock"
    yield path
    if path.exists():
        with Wire(path) as wire:
            wire.ask("shutdown")
        wait_for(lambda: not path.exists())


async def launched(socket: Path, **changes: object) -> bool:
    settings = {"cash": Decimal("2500.50"), "half_spread_bps": 2.0, "account": "SIM-9"}
    return await ensure_running(socket, socket.parent / "state", **(settings | changes))  # type: ignore[arg-type]


def test_it_starts_a_broker_with_its_settings_and_only_once(socket):
    async def story():
        assert await launched(socket) is True
        assert await launched(socket) is False
        async with connected(socket) as session:
            account = await session.broker.account()
            assert (account.account_id, account.cash) == ("SIM-9", 2_500_500_000_000)
            await session.broker.market(bars(1, "100"))
            await session.broker.submit(order("a", quantity=1))
            assert (await session.broker.fills(0))[0].price == 100_020_000_000

    asyncio.run(story())


def test_of_starters_at_the_same_moment_one_starts_it_and_all_find_it(socket):
    async def story():
        started = await asyncio.gather(*(launched(socket) for _ in range(5)))
        assert sorted(started) == [False] * 4 + [True]
        async with connected(socket) as session:
            assert await session.broker.ping() < 1

    asyncio.run(story())


def test_it_starts_one_from_the_daemons_own_loop_too(socket):
    assert uvloop.run(launched(socket)) is True


def test_a_detached_broker_holds_none_of_its_starters_descriptors(socket):
    ours, theirs = os.pipe()
    command = [sys.executable, "-m", "tradingd.simbroker", "--detach", "--socket", str(socket)]
    command += ["--state", str(socket.parent / "state")]
    subprocess.run(command, pass_fds=[theirs], check=True, timeout=30)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        assert pipe.read() == b"", "the end comes only when nobody holds the other side"


def test_it_runs_in_a_session_of_its_own_and_is_no_child_of_ours(socket):
    asyncio.run(launched(socket))
    with Wire(socket) as wire:
        pid = wire.ask("hello")["pid"]
    assert os.getsid(pid) not in (os.getsid(0), 0)
    status = Path(f"/proc/{pid}/status").read_text()
    assert f"PPid:\t{os.getpid()}\n" not in status


def test_a_broker_that_cannot_start_is_a_failure_with_its_last_words(tmp_path):
    async def story():
        with pytest.raises(Failure) as raised:
            await launched(tmp_path / ("long" * 40) / "s.sock")
        assert raised.value.code is ExitCode.BROKER
        assert raised.value.found

    asyncio.run(story())


def test_settings_that_make_no_sense_are_a_failure(socket):
    async def story():
        with pytest.raises(Failure, match="negative"):
            await launched(socket, cash=Decimal(-5))

    asyncio.run(story())


def test_between_daily_bars_a_market_order_waits_for_the_next_open(socket):
    async def story():
        await launched(socket, next_bar=True, half_spread_bps=0.0)
        async with connected(socket) as session:
            await session.broker.market(bars(1, "100"))
            await session.broker.submit(order("a", quantity=1))
            assert await session.broker.fills(0) == []
            await session.broker.market(bars(2, "103"))
            assert [one.price for one in await session.broker.fills(0)] == [103_000_000_000]

    asyncio.run(story())


def test_it_charges_the_commission_and_keeps_to_the_share_of_volume_it_is_told(socket):
    async def story():
        terms = {
            "commission_per_share": Decimal("0.01"),
            "commission_min": Decimal("0.25"),
            "participation_percent": 2.5,
            "next_bar": True,
        }
        await launched(socket, **terms)
        async with connected(socket) as session:
            await session.broker.market(bars(1, "100"))
            await session.broker.submit(order("a", quantity=100))
            assert await session.broker.fills(0) == []
            await session.broker.market(bars(2, "100"))
            fill = (await session.broker.fills(0))[0]
            volume = bars(2, "100").bars[0].volume
            assert fill.quantity == min(100, volume // 40)
            assert fill.commission == max(250_000_000, 10_000_000 * fill.quantity)

    asyncio.run(story())
