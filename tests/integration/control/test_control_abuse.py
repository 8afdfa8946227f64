"""The control socket under abuse: nothing lost, everything let go, the loop goes on."""

import asyncio
import json
import sys
import time
from pathlib import Path

import pytest
import uvloop

from tests.fakes.control_operator import FakeOperator
from tradingd.control.connection import Patience
from tradingd.control.server import ControlServer

REPOSITORY = Path(__file__).parents[3]
HASTY = Patience(head=1.0, body=1.0, answer=2.0, drain=1.0, half_closed=0.3)


async def longest_stall(ended: asyncio.Event, every: float = 0.002) -> float:
    """Return the longest time, in seconds, that the loop was away from a sleeper."""
    longest, last = 0.0, time.perf_counter()
    while not ended.is_set():
        await asyncio.sleep(every)
        longest, last = max(longest, time.perf_counter() - last - every), time.perf_counter()
    return longest


def test_nothing_is_lost_under_abuse_and_every_abuser_is_let_go(
    short: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    operator = FakeOperator()
    path = short / "s"

    async def main() -> tuple[int | None, bytes, float, int]:
        server = ControlServer(operator, socket=path, patience=HASTY)
        await server.start()
        for number in range(600):
            operator.tell("fill", f"fill {number} " + "x" * 1_000)
        ended = asyncio.Event()
        stall = asyncio.create_task(longest_stall(ended))
        abuser = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.control_abuse", str(path), "--patience", "8",
            stdout=asyncio.subprocess.PIPE, cwd=REPOSITORY,
        )  # fmt: skip
        said, _ = await abuser.communicate()
        ended.set()
        longest = await stall
        async with asyncio.timeout(30):
            while server.connections:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.01)
        left = server.connections
        await server.stop()
        return abuser.returncode, said, longest, left

    code, said, longest, left = uvloop.run(main())
    facts = [json.loads(line) for line in said.splitlines()]
    counts = facts.pop()
    assert [fact for fact in facts if not fact["held"]] == []
    assert code == 0
    assert left == 0
    assert len(facts) > 50
    done = [one for one in operator.audits if one.action == "acknowledge done"]
    asked = [one for one in operator.audits if one.action == "acknowledge asked"]
    assert operator.acts == len(done) == len(asked) == counts["acts"] > 10
    assert operator.states == {}
    with capsys.disabled():
        print(
            f" longest stall {longest * 1000:.1f} ms, {counts['looks']} looks and {counts['acts']}"
            " acts answered meanwhile"
        )
