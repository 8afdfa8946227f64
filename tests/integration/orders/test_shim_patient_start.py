"""A start waits for a broker that does not answer yet, and not for ever."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.crash.life import SETTINGS, Process, told
from tradingd.kits.failure import ExitCode, Failure

QUESTIONS = ["positions", "account", "fills", "adjustments", "open_orders", "order"]


def test_a_broker_that_answers_a_little_later_is_waited_for(folder: Path) -> None:
    process = _process(folder, 10.0)

    async def story() -> None:
        await told(folder, _silent())
        starting = asyncio.ensure_future(process.start())
        await asyncio.sleep(0.5)
        assert not starting.done()
        await told(folder, {})
        await starting
        assert process.shim.ready
        await process.end()

    asyncio.run(story())


def test_a_broker_that_never_answers_ends_the_start_with_the_reason(folder: Path) -> None:
    process = _process(folder, 0.5)

    async def story() -> None:
        await told(folder, _silent())
        with pytest.raises(Failure, match="cannot be asked") as refused:
            await process.start()
        assert refused.value.code is ExitCode.BROKER
        assert refused.value.expected == "an answer within 0.5 s"
        await told(folder, {})
        await process.end()

    asyncio.run(story())


def _silent() -> dict[str, Any]:
    return {"ops": QUESTIONS, "probabilities": {"drop_request": 1.0}}


def _process(folder: Path, patience: float) -> Process:
    settings = msgspec.structs.replace(SETTINGS, start_seconds=patience)
    return Process(folder, settings=settings)
