"""The client against servers that die, restart, hang or talk nonsense."""

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stopwatch import Stopwatch
from tradingd.cli import control_params as p
from tradingd.cli.main import tradingctl
from tradingd.control import messages as m
from tradingd.control.answers import Status
from tradingd.control.client import ControlClient
from tradingd.kits.failure import ExitCode, Failure

DONE = b'{"done":"ok"}'
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(DONE), DONE)


@pytest.fixture
def path() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ctl"))
    yield folder / "s"
    shutil.rmtree(folder)


class Scripted:
    """Listens, and treats each connection by the next step of a script."""

    def __init__(self, path: Path, *steps: Callable[[socket.socket], None]) -> None:
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._steps = steps
        self.served = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Scripted":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.join(10)
        self._server.close()

    def _run(self) -> None:
        for step in self._steps:
            link, _ = self._server.accept()
            with link:
                step(link)
            self.served += 1


def read_request(link: socket.socket) -> None:
    """Read head and body; closing with some of it unread would reset the connection."""
    with link.makefile("rb") as lines:
        length = 0
        while (line := lines.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        lines.read(length)


def reset(link: socket.socket) -> None:
    """Close without a word, with the request read."""
    read_request(link)


def good(link: socket.socket) -> None:
    read_request(link)
    link.sendall(GOOD)


def busy(link: socket.socket) -> None:
    read_request(link)
    body = b'{"what":"too many connections","code":51}'
    link.sendall(b"HTTP/1.1 503 x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


HALT = m.HaltRequest(reason="a test")


def test_a_reset_is_asked_again_where_twice_is_as_once(path: Path) -> None:
    with Scripted(path, reset, busy, good) as server:
        done = ControlClient("paper", paths=[path]).post("halt", HALT, again=True)
    assert (done.done, server.served) == ("ok", 3)


def test_a_verb_that_may_have_been_carried_out_is_not_repeated(path: Path) -> None:
    request = m.JobRequest(name="nightly", reason="a test")
    with Scripted(path, reset) as server, pytest.raises(Failure) as failed:
        ControlClient("paper", paths=[path]).post("jobs", request)
    assert (failed.value.code, server.served) == (ExitCode.NO_DAEMON, 1)
    assert "may have done it" in failed.value.what


def test_who_waits_is_served_by_a_daemon_that_comes_later(path: Path) -> None:
    served = threading.Event()

    def later() -> None:
        time.sleep(0.3)
        with Scripted(path, good):
            pass
        served.set()

    thread = threading.Thread(target=later, daemon=True)
    thread.start()
    done = ControlClient("paper", paths=[path], wait=5.0).post("halt", HALT)
    thread.join(10)
    assert done.done == "ok"
    assert served.is_set()


def test_nothing_listening_is_said_at_once_with_the_next_step(path: Path) -> None:
    with Stopwatch() as watch, pytest.raises(Failure) as failed:
        ControlClient("paper", paths=[path]).get("status", Status)
    assert failed.value.code is ExitCode.NO_DAEMON
    assert "systemctl start tradingd@paper" in failed.value.next_step
    assert watch.seconds < 1.0


def test_a_daemon_that_hangs_is_told_apart(path: Path) -> None:
    ended = threading.Event()
    with Scripted(path, lambda link: bool(ended.wait(5)) and None):
        with pytest.raises(Failure) as failed:
            ControlClient("paper", paths=[path], timeout=0.2).get("status", Status)
        ended.set()
    assert failed.value.code is ExitCode.NO_DAEMON
    assert "tradingd kill" in failed.value.next_step


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"])
def test_who_asked_for_something_hears_that_the_daemon_may_still_be_at_it(
    path: Path, words: bytes
) -> None:
    ended = threading.Event()

    def thinks(link: socket.socket) -> None:
        read_request(link)
        link.sendall(words)
        ended.wait(5)

    with Scripted(path, thinks):
        with pytest.raises(Failure) as failed:
            ControlClient("paper", paths=[path], timeout=0.2).post(
                "adopt", m.AdoptRequest(reason="a test", confirm="paper")
            )
        ended.set()
    assert failed.value.code is ExitCode.NO_DAEMON
    assert "may still be at it" in failed.value.what
    assert "tradingctl -i paper events" in failed.value.next_step


@pytest.mark.parametrize(
    "params",
    [
        p.AdoptParams(),
        p.FlattenParams(),
        p.CancelParams(),
        p.JobsRunParams(name="reconcile"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_verb_that_asks_the_broker_is_given_longer_than_a_pause_of_its_rate_limit(
    params: p.ControlParams,
) -> None:
    assert params.timeout >= 60.0


def test_what_is_no_daemon_is_a_refusal_and_no_traceback(path: Path) -> None:
    def nonsense(link: socket.socket) -> None:
        read_request(link)
        link.sendall(b"220 mail.example ESMTP\r\n")

    with Scripted(path, nonsense), pytest.raises(Failure):
        ControlClient("paper", paths=[path]).get("status", Status)


def test_an_answer_of_another_shape_is_a_refusal(path: Path) -> None:
    with Scripted(path, good), pytest.raises(Failure) as failed:
        ControlClient("paper", paths=[path]).get("status", Status)
    assert "version" in failed.value.next_step


def test_an_instance_name_cannot_leave_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert tradingctl(["status", "--instance", "../etc"]) == ExitCode.USAGE
    assert "instance" in capsys.readouterr().err


def test_without_a_daemon_one_line_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert tradingctl(["status", "--instance", "test-only"]) == ExitCode.NO_DAEMON
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "/run/tradingd/test-only.sock" in said
    assert str(tmp_path / "tradingd" / "test-only.sock") in said


def test_halt_without_a_daemon_leaves_a_flag_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    words = ["halt", "-i", "test-only", "--reason", "odd prices"]
    # An instance that never ran has no state to leave it in: most likely a typing error.
    assert tradingctl(words) == ExitCode.NO_DAEMON
    (tmp_path / "tradingd" / "test-only").mkdir(parents=True)
    assert tradingctl(words) == ExitCode.OK
    flag = (tmp_path / "tradingd" / "test-only" / "HALT").read_text()
    assert "odd prices" in flag
    assert "NOT cancelled" in capsys.readouterr().out
