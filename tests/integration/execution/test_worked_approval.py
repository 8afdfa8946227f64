"""Worked entries that wait for a person: no time passes until they may leave."""

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.engine_live.live_kit import Script
from tests.integration.engine_live.real_kit import free_broker, real
from tests.integration.execution.test_worked_session import batches, buy, flat, style


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Collect a test's engine objects on the thread that made them."""
    yield
    gc.collect()


def test_a_price_that_waits_for_approval_does_not_time_out(tmp_path: Path) -> None:
    async def session() -> None:
        script = Script({1: buy()})
        async with real(tmp_path, [script], approval="manual", style=style()) as one:
            bars = batches(*[flat()] * 6)
            await one.play(*bars[:4])
            (waiting,) = one.shim.waiting_for_approval()
            assert "worked 1/4" in waiting.reason
            assert one.shim.approve(waiting.order_id)
            await one.rest()
            await one.play(bars[4])
            assert script.position("AAA") == 100
            assert not script.pending("AAA")

    with free_broker(tmp_path, "--arrivals", "next-bar"):
        asyncio.run(session())
