"""SIGTERM during a command, as Ctrl-C, in its own words."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import msgspec
import pytest

from tradingd.cli.command import Command
from tradingd.cli.interrupted import ended_by_signals
from tradingd.cli.main import run
from tradingd.kits.failure import ExitCode, Failure


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing."""


LEFT: list[str] = []


def command(work: str, *, own_signals: bool = False) -> Command[Params, Done]:
    return Command(
        path=("long", "work"),
        params=Params,
        result=Done,
        function=f"{__name__}:{work}",
        render=f"{__name__}:say_nothing",
        summary="Work.",
        interrupted="do it again",
        own_signals=own_signals,
    )


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    LEFT.clear()
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
    yield
    assert before == [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]


def say_nothing(_done: Done) -> None: ...


def work_until(*signals: int) -> Done:
    try:
        for one in signals:
            os.kill(os.getpid(), one)
        return Done()
    finally:
        # `timeout` sends it twice; what takes things back must not be cut by the second.
        os.kill(os.getpid(), signals[-1]) if signals == (signal.SIGTERM,) else None
        LEFT.append("in order")


def terminated(_params: Params) -> Done:
    return work_until(signal.SIGTERM)


def interrupted(_params: Params) -> Done:
    return work_until(signal.SIGINT)


def refuses_when_terminated(_params: Params) -> Done:
    try:
        return work_until(signal.SIGTERM)
    except KeyboardInterrupt:
        raise Failure("a worker died", code=ExitCode.TRIALS_FAILED) from None


def query_is_interrupted(_params: Params) -> Done:
    raise Failure("bad file", code=ExitCode.DAMAGED_PARQUET) from RuntimeError("Query interrupted")


def hears_nothing(_params: Params) -> Done:
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    return Done()


@pytest.mark.parametrize(
    ("work", "code", "line"),
    [
        ("terminated", 143, "interrupted by SIGTERM: long work | next: do it again"),
        ("refuses_when_terminated", 143, "interrupted by SIGTERM: long work | next: do it again"),
        ("interrupted", 130, "interrupted: long work | next: do it again"),
        ("query_is_interrupted", 130, "interrupted: long work | next: do it again"),
    ],
)
def test_a_signal_ends_a_command_in_order_with_one_line(
    work: str, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("tradingd", [command(work)], ["long", "work"]) == code
    assert capsys.readouterr() == ("", f"tradingd: {line}\n")
    assert LEFT == ([] if work == "query_is_interrupted" else ["in order"])


def test_a_command_with_handlers_of_its_own_begins_without_ours() -> None:
    assert run("tradingd", [command("hears_nothing", own_signals=True)], ["long", "work"]) == 0
    with pytest.raises(AssertionError):
        run("tradingd", [command("hears_nothing")], ["long", "work"])


def test_who_ignores_sigterm_goes_on_ignoring_it() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with ended_by_signals(command("terminated")):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_other_threads_may_run_commands() -> None:
    seen = []

    def work() -> None:
        with ended_by_signals(command("terminated")):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]


def test_an_import_installs_no_handler() -> None:
    look = (
        "import signal, tradingd.cli.table, tradingd.cli.main, tradingd.__main__\n"
        "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL"
    )
    subprocess.run([sys.executable, "-c", look], check=True)


def test_errors_that_were_raised_from_one_another_in_a_circle_pass_as_they_are():
    first, second = OSError("first"), Failure("second", code=ExitCode.USAGE)
    first.__context__, second.__cause__ = second, first
    with pytest.raises(Failure, match="second"), ended_by_signals(command("say_nothing")):
        raise second
