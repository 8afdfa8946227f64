"""What waits for a thing that must not be cut, and what does not."""

import signal
import threading

import pytest

from tradingd.kits.interrupts import uninterrupted


def interrupted_within(done: list[str]) -> None:
    with uninterrupted():
        signal.raise_signal(signal.SIGINT)
        done.append("whole")
    done.append("after")


def test_ctrl_c_waits_for_the_end_of_the_block_and_comes_then() -> None:
    done: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        interrupted_within(done)
    assert done == ["whole"]
    assert signal.getsignal(signal.SIGINT) is before


def test_within_each_other_the_outer_block_is_the_one_that_ends_first() -> None:
    done: list[str] = []

    def both() -> None:
        with uninterrupted():
            interrupted_within(done)

    with pytest.raises(KeyboardInterrupt):
        both()
    assert done == ["whole", "after"]


def test_a_second_ctrl_c_does_not_wait() -> None:
    done: list[str] = []

    def twice() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            done.append("whole")

    with pytest.raises(KeyboardInterrupt):
        twice()
    assert done == []


def test_a_signal_that_nobody_handles_is_left_alone() -> None:
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with uninterrupted():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_outside_the_main_thread_it_does_nothing() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def look() -> None:
        with uninterrupted():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [before]
