"""The broker's clock, its answers, and the engine's picture: what each check finds, at its edge."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from tradingd.config.supervision import SupervisionConfig
from tradingd.daemon.answers import WINDOW_SECONDS, AnswerTimes
from tradingd.daemon.checks.drift import BrokerClockCheck
from tradingd.daemon.checks.orders import ExecutionLatencyCheck
from tradingd.daemon.checks.picture import PictureCheck
from tradingd.daemon.drift import Drift, DriftMeter
from tradingd.domain.broker import BrokerUnavailable
from tradingd.domain.health import Grade
from tradingd.domain.journal import OrderRow, OrderState
from tradingd.domain.trading import OrderEvent, Step

LIMITS = SupervisionConfig(clock_drift_ms=500, execution_seconds=1.0, command_seconds=5.0)


@pytest.mark.parametrize(
    ("offset", "uncertain", "grade"),
    [
        (0.5, 0.0, Grade.OK),
        (0.501, 0.0, Grade.DEGRADED),
        (-0.501, 0.0, Grade.DEGRADED),
        (0.9, 0.4, Grade.OK),
        (0.901, 0.4, Grade.DEGRADED),
    ],
)
def test_a_drift_counts_only_as_far_as_it_is_certain(
    offset: float, uncertain: float, grade: Grade
) -> None:
    drift = Drift(offset=offset, uncertain=uncertain)
    assert BrokerClockCheck(lambda: drift, lambda: LIMITS).look().grade is grade


def test_a_broker_without_a_clock_has_no_drift() -> None:
    finding = BrokerClockCheck(lambda: None, lambda: LIMITS).look()
    assert finding.grade is Grade.OK
    assert finding.value == "not measured"


def test_a_drift_is_measured_against_the_middle_of_the_question() -> None:
    times = iter((10_000_000_000, 10_400_000_000))

    async def theirs() -> int:
        return 9_200_000_000

    measured = asyncio.run(DriftMeter(theirs, lambda: next(times)).once())
    assert measured == Drift(offset=1.0, uncertain=0.2)


def test_without_an_answer_the_last_drift_stands() -> None:
    async def nobody() -> int:
        raise BrokerUnavailable("away")

    assert asyncio.run(DriftMeter(nobody, lambda: 0).once()) is None


def test_the_slowest_answer_of_the_last_minutes_is_known_and_forgotten() -> None:
    now = [0.0]
    answers = AnswerTimes(lambda: now[0])
    check = ExecutionLatencyCheck(answers.slowest, lambda: LIMITS)
    assert check.look().value == "no order sent lately"
    for order_id, took, step in (("a", 1.0, Step.ACCEPTED), ("b", 0.5, Step.REJECTED)):
        answers(_event(order_id, Step.SENT))
        now[0] += took
        answers(_event(order_id, step))
    assert answers.slowest() == 1.0
    assert check.look().grade is Grade.OK
    answers(_event("c", Step.SENT))
    now[0] += 1.1
    answers(_event("c", Step.ACCEPTED))
    assert check.look().grade is Grade.DEGRADED
    now[0] += WINDOW_SECONDS + 1
    assert answers.slowest() is None


def test_an_engine_that_shows_another_position_fails_once_it_lasts() -> None:
    now, found = [0.0], {"SPY": (100, 0)}
    check = _picture(now, lambda: dict(found))
    assert check.look().grade is Grade.OK
    now[0] = 5.0
    assert check.look().grade is Grade.OK
    now[0] = 5.1
    finding = check.look()
    assert finding.grade is Grade.FAILED
    assert "SPY: book +100, engine +0" in finding.value
    found.clear()
    assert check.look().grade is Grade.OK
    found["SPY"] = (100, 0)
    assert check.look().grade is Grade.OK


def _picture(now: list[float], found: Callable[[], dict[str, tuple[int, int]]]) -> PictureCheck:
    return PictureCheck(found, lambda: LIMITS, lambda: now[0])


def _event(order_id: str, step: Step) -> OrderEvent:
    row = msgspec.convert(
        {
            **dict.fromkeys(("run_id", "strategy", "symbol", "side", "type", "purpose"), "x"),
            "order_id": order_id,
            "quantity": 1,
            "reason": "",
            "state": OrderState.WORKING.value,
        },
        OrderRow,
    )
    return OrderEvent(step=step, order=row)
