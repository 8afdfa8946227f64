import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest

from tradingd.domain.health import Grade, Reading
from tradingd.domain.trading import Step
from tradingd.kits.failure import ExitCode, Failure
from tradingd.telemetry.metrics import Metrics
from tradingd.telemetry.server import MetricsServer


def full_metrics(folder: Path) -> Metrics:
    """Return metrics with every series a large daemon has."""
    names = [f"strategy{i}" for i in range(36)]
    metrics = Metrics(version="1", mode="paper", folder=folder, strategies=names)
    for name in names:
        for step in Step:
            metrics.order_step(step, name)
    for i in range(40):
        metrics.denial(f"limit{i}")
        metrics.job(f"job{i}", due_ns=1, success_ns=1)
    return metrics


def reading(name: str, grade: Grade, *, beats: bool) -> Reading:
    return Reading(
        name=name, grade=grade, value="9", limit="5", since=0, action="", next_step="",
        critical=True, beats=beats,
    )  # fmt: skip


async def get(server: MetricsServer, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}{path}") as answer,
    ):
        return answer.status, await answer.text()


def ask(server: MetricsServer, path: str) -> tuple[int, str]:
    async def main() -> tuple[int, str]:
        await server.start()
        try:
            return await get(server, path)
        finally:
            await server.stop()

    return asyncio.run(main())


def test_the_numbers_are_served(tmp_path: Path) -> None:
    status, text = ask(MetricsServer(full_metrics(tmp_path), port=0), "/metrics")
    assert status == 200
    assert 'tradingd_build_info{mode="paper",version="1"} 1.0' in text
    assert text.count("# TYPE tradingd_orders_total") == 1


CASES = [
    ([], 200),
    ([reading("feed", Grade.FAILED, beats=False)], 200),
    ([reading("journal", Grade.DEGRADED, beats=True)], 200),
    ([reading("journal", Grade.FAILED, beats=True)], 503),
]


@pytest.mark.parametrize(("readings", "status"), CASES, ids=["none", "feed", "slow", "stuck"])
def test_live_fails_only_for_a_check_that_stops_the_beat(
    tmp_path: Path, readings: Sequence[Reading], status: int
) -> None:
    server = MetricsServer(
        Metrics(version="1", mode="paper", folder=tmp_path), port=0, readings=lambda: readings
    )
    answer, text = ask(server, "/live")
    assert answer == status
    assert all(one.name in text for one in readings)


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
def test_ready_is_what_the_daemon_says(tmp_path: Path, ready: bool, status: int) -> None:
    server = MetricsServer(
        Metrics(version="1", mode="paper", folder=tmp_path), port=0, ready=lambda: ready
    )
    assert ask(server, "/ready")[0] == status


def test_a_port_in_use_is_a_refusal_that_names_the_key(tmp_path: Path) -> None:
    metrics = Metrics(version="1", mode="paper", folder=tmp_path)

    async def main() -> None:
        first = MetricsServer(metrics, port=0)
        await first.start()
        second = MetricsServer(metrics, port=first.port)
        try:
            with pytest.raises(Failure) as refused:
                await second.start()
        finally:
            await second.stop()
            await first.stop()
        assert refused.value.code is ExitCode.CONFIG
        assert refused.value.where == "telemetry.metrics_port"
        assert str(first.port + 1) in refused.value.next_step

    asyncio.run(main())


def test_an_address_of_another_machine_is_a_refusal(tmp_path: Path) -> None:
    server = MetricsServer(
        Metrics(version="1", mode="paper", folder=tmp_path), host="192.0.2.1", port=0
    )
    with pytest.raises(Failure) as refused:
        asyncio.run(server.start())
    assert "telemetry.metrics_host" in refused.value.where


def test_a_scrape_of_every_series_never_holds_the_loop_up(tmp_path: Path) -> None:
    metrics = full_metrics(tmp_path)
    gaps: list[float] = []

    async def watch() -> None:
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            gaps.append(now - last)
            last = now

    async def main() -> None:
        server = MetricsServer(metrics, port=0)
        await server.start()
        watcher = asyncio.create_task(watch())
        for _ in range(5):
            await get(server, "/metrics")
        watcher.cancel()
        await server.stop()

    asyncio.run(main())
    gaps.sort()
    # Of the processor: the machine is shared. The whole exposition takes longer than this.
    assert len(metrics.text().splitlines()) > 1_000
    assert gaps[int(len(gaps) * 0.995)] < 0.010
