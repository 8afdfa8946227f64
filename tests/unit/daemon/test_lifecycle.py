"""Start with roll-back, stop with every step, and the lines a person reads."""

import asyncio
import errno

import pytest

from tradingd.daemon.shutdown import StopReport, StopStep, shut_down
from tradingd.daemon.startup import Startup, Step
from tradingd.daemon.summary import Standing, Summary, signed, status_line, summary_line
from tradingd.domain.money import dollars
from tradingd.kits.failure import ExitCode, Failure

NANO = 1_000_000_000


class Log:
    """What was done, in order, and steps that write to it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.now = 0.0

    def seconds(self) -> float:
        return self.now

    def deed(self, text: str, error: BaseException | None = None):
        async def do() -> None:
            self.done.append(text)
            self.now += 1.5
            if error is not None:
                raise error

        return do

    def step(self, name: str, error: BaseException | None = None, undo=None) -> Step:
        return Step(name=name, run=self.deed(f"+{name}", error), undo=undo or self.deed(f"-{name}"))

    def startup(self, *steps: Step, undo_seconds: float = 5.0) -> Startup:
        return Startup(
            steps, progress=self.done.append, seconds=self.seconds, undo_seconds=undo_seconds
        )


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_start_runs_its_steps_in_order_and_times_them(log: Log) -> None:
    timings = asyncio.run(log.startup(log.step("journal"), log.step("broker")).run())
    assert log.done == ["1/2 journal", "+journal", "2/2 broker", "+broker"]
    assert [(one.step, one.seconds) for one in timings] == [("journal", 1.5), ("broker", 1.5)]


def test_a_failed_step_is_named_and_everything_is_taken_back_last_first(log: Log) -> None:
    error = Failure("login refused", code=ExitCode.BROKER, found="403", next_step="new keys")
    steps = (log.step("journal"), log.step("lock"), log.step("broker", error), log.step("feed"))
    with pytest.raises(Failure, match="start-up failed at 'broker': login refused") as raised:
        asyncio.run(log.startup(*steps).run())
    assert raised.value.code is ExitCode.BROKER
    assert raised.value.next_step == "new keys"
    assert raised.value.found == "403"
    assert [text for text in log.done if text[0] in "+-"] == [
        "+journal",
        "+lock",
        "+broker",
        "-broker",
        "-lock",
        "-journal",
    ]


def test_an_error_nobody_foresaw_is_a_bug_of_the_named_step(log: Log) -> None:
    with pytest.raises(Failure, match="start-up failed at 'feed'") as raised:
        asyncio.run(log.startup(log.step("feed", KeyError("SPY"))).run())
    assert raised.value.code is ExitCode.BUG
    assert "KeyError('SPY')" in raised.value.found
    assert isinstance(raised.value.__cause__, KeyError)


def test_an_undo_that_fails_or_hangs_does_not_stop_the_others(log: Log) -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    steps = (
        log.step("one"),
        log.step("two", undo=hangs),
        log.step("three", undo=log.deed("-three", OSError("x"))),
        log.step("four", ValueError("y")),
    )
    with pytest.raises(Failure, match="four"):
        asyncio.run(log.startup(*steps, undo_seconds=0.02).run())
    assert [text for text in log.done if text.startswith("-")] == ["-four", "-three", "-one"]


def test_a_start_that_is_called_off_is_taken_back(log: Log) -> None:
    async def scene() -> None:
        waiting = asyncio.Event()

        async def hangs() -> None:
            waiting.set()
            await asyncio.Event().wait()

        slow = Step(name="broker", run=hangs, undo=log.deed("-broker"))
        running = asyncio.create_task(log.startup(log.step("journal"), slow).run())
        await waiting.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(scene())
    assert log.done[-2:] == ["-broker", "-journal"]


def stop(log: Log, *steps: StopStep) -> StopReport:
    told = []

    def progress(text: str, seconds: float) -> None:
        told.append((text, seconds))
        log.done.append(text)

    report = asyncio.run(shut_down(steps, progress=progress, seconds=log.seconds))
    assert [seconds for _, seconds in told] == [step.seconds for step in steps]
    return report


def test_every_step_of_a_stop_runs_whatever_became_of_the_others(log: Log) -> None:
    async def left() -> str:
        return "2 orders not confirmed"

    async def hangs() -> None:
        await asyncio.Event().wait()

    refused = Failure("not flat", code=ExitCode.NOT_FLAT, found="SPY +1")
    report = stop(
        log,
        StopStep(name="signals", run=log.deed("+signals")),
        StopStep(name="cancel", run=left),
        StopStep(name="close", run=log.deed("+close", refused)),
        StopStep(name="flush", run=hangs, seconds=0.02),
        StopStep(name="loop", run=log.deed("+loop", asyncio.CancelledError())),
        StopStep(name="disconnect", run=log.deed("+disconnect")),
    )
    assert log.done[-1] == "+disconnect"
    assert not report.clean
    assert report.troubles == (
        "cancel: 2 orders not confirmed",
        "close: not flat | found: SPY +1",
        "flush: not done within 0.02 s",
        "loop: was cancelled",
    )
    assert report.steps[0].seconds == 1.5


def test_a_step_that_does_not_heed_its_cancellation_is_left_behind(log: Log) -> None:
    async def stubborn() -> None:
        for _ in range(50):
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    report = stop(
        log,
        StopStep(name="stubborn", run=stubborn, seconds=0.02),
        StopStep(name="last", run=log.deed("+last")),
    )
    assert report.troubles == ("stubborn: not done within 0.02 s",)
    assert log.done[-1] == "+last"


def test_a_stop_without_trouble_is_clean(log: Log) -> None:
    report = stop(log, StopStep(name="signals", run=log.deed("+signals")))
    assert report.clean
    assert report.troubles == ()


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "0.00"),
        (1_234_567 * NANO, "1,234,567.00"),
        (12_345_000_000, "12.35"),
        (12_355_000_000, "12.36"),
        (12_345_000_001, "12.35"),
        (-12_340_000_000, "-12.34"),
        (-4_000_000, "0.00"),
        (995_000_000, "1.00"),
        (10**21 + 1, "1,000,000,000,000.00"),
    ],
)
def test_money_is_shown_with_two_exact_decimals(nanos: int, text: str) -> None:
    assert dollars(nanos) == text
    assert signed(nanos) == (text if text.startswith("-") else f"+{text}")


def test_the_status_line_says_state_positions_profit_and_lag() -> None:
    standing = Standing(
        state="PAUSED", positions=1, open_orders=0, day_pnl=-12_300_000_000, feed_lag=0.44
    )
    assert status_line(standing) == (
        "PAUSED, 1 position, no orders, P&L today -12.30, feed lag 0.4 s"
    )
    closed = Standing(
        state="RUNNING",
        positions=0,
        open_orders=2,
        day_pnl=0,
        feed_lag=None,
        label="SYNTHETIC",
        note="broker: connected but mute",
    )
    assert status_line(closed) == (
        "RUNNING, no positions, 2 orders, P&L today +0.00, market closed, SYNTHETIC, "
        "broker: connected but mute"
    )


def test_the_summary_is_one_line_with_everything_that_is_left() -> None:
    line = summary_line(
        Summary(
            instance="paper",
            mode="paper",
            why='SIGTERM\nfrom "systemd"',
            code=ExitCode.UNCLEAN_STOP,
            seconds=61.25,
            equity=100_012_300_000_000,
            day_pnl=12_300_000_000,
            run_pnl=-1 * NANO,
            positions=("SPY +100", "QQQ -5"),
            open_orders=("paper-7",),
            fills=3,
            label="SYNTHETIC",
            troubles=("cancel: 1 order left",),
        )
    )
    assert line == (
        "SUMMARY instance=paper mode=paper why=\"SIGTERM from 'systemd'\" exit=67 (UNCLEAN_STOP) "
        "ran=61.2s equity=100,012.30 pnl=-1.00 day_pnl=+12.30 fills=3 "
        'positions=2 (SPY +100, QQQ -5) open_orders=1 (paper-7) data="SYNTHETIC" '
        'troubles="cancel: 1 order left"'
    )


def test_a_folder_the_system_refuses_is_no_bug_but_something_to_mend(log: Log) -> None:
    error = OSError(errno.EROFS, "Read-only file system", "/state/paper")
    with pytest.raises(Failure, match="start-up failed at 'journal': the system refuses") as raised:
        asyncio.run(log.startup(log.step("journal", error)).run())
    assert raised.value.code is ExitCode.STORE_WRITE
    assert raised.value.where == "/state/paper"
    assert "permissions" in raised.value.next_step


def test_a_start_that_is_called_off_is_not_logged_as_a_failure(log: Log, caplog) -> None:
    with caplog.at_level("INFO"), pytest.raises(asyncio.CancelledError):
        asyncio.run(log.startup(log.step("feed", asyncio.CancelledError())).run())
    assert [one.message for one in caplog.records] == ["start-up called off at step 1/1 feed"]
    assert log.done[-1] == "-feed"
