"""`tradingctl` against a served operator: pipes, a terminal, the live view."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradingd.control.answers import Status
from tradingd.control.client import ControlClient
from tradingd.kits.failure import ExitCode

REPOSITORY = Path(__file__).parents[3]
TRADINGCTL = [sys.executable, "-c", "import sys; from tradingd.cli.main import tradingctl; "
              "sys.exit(tradingctl())"]  # fmt: skip


def start(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.control_operator", "--socket", str(path)],
        cwd=REPOSITORY,
    )


@pytest.fixture
def daemon(short: Path) -> Iterator[Path]:
    process = start(short / "s")
    ControlClient("paper", paths=[short / "s"], wait=20.0).get("status", Status)
    yield short / "s"
    process.terminate()
    process.wait(10)


def ctl(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TRADINGCTL, *words, "--socket", str(path)],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30,
    )  # fmt: skip


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, *words: str) -> None:
        # Not pty.fork(): the test process may have threads.
        self._end, other = pty.openpty()
        self._process = subprocess.Popen(
            [*TRADINGCTL, *words], stdin=other, stdout=other, stderr=other, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
        )  # fmt: skip
        os.close(other)
        self.seen = ""

    def until(self, text: str) -> None:
        end = time.monotonic() + 20
        while text not in self.seen:
            assert time.monotonic() < end, self.seen[-2_000:]
            self._read(0.2)

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def ended(self) -> int:
        """Return the exit code; keeps reading, as a terminal does."""
        end = time.monotonic() + 20
        while self._process.poll() is None:
            if time.monotonic() > end:
                self._process.kill()
                raise AssertionError(self.seen[-2_000:])
            self._read(0.05)
        os.close(self._end)
        return self._process.wait()

    def _read(self, wait: float) -> None:
        if select.select([self._end], [], [], wait)[0]:
            try:
                self.seen += os.read(self._end, 65_536).decode(errors="replace")
            except OSError:
                # Linux says EIO when the other side has ended.
                time.sleep(0.01)


def test_in_a_pipe_tables_json_and_refusals_are_what_scripts_expect(daemon: Path) -> None:
    shown = ctl(daemon, "positions")
    assert "PAPER · SYNTHETIC DATA" in shown.stdout
    assert "+1,204.00" in shown.stdout
    assert json.loads(ctl(daemon, "status", "--json").stdout)["state"] == "RUNNING"
    lines = ctl(daemon, "events", "--after", "0", "--json").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))
    refused = ctl(daemon, "flatten", "--reason", "a test")
    assert refused.returncode == ExitCode.REFUSED
    assert "--confirm paper" in refused.stderr
    assert ctl(daemon, "flatten").returncode == ExitCode.USAGE
    assert ctl(daemon, "reload").returncode == ExitCode.CONFIG
    done = ctl(daemon, "flatten", "--reason", "a test", "--confirm", "paper")
    assert (done.returncode, "verified" in done.stdout) == (0, True)
    assert "no open positions" in ctl(daemon, "positions").stdout


def test_other_peoples_text_paints_nothing(daemon: Path) -> None:
    ctl(daemon, "pause", "--reason", "\x1b[2J[red]gone[/red]")
    shown = ctl(daemon, "status").stdout
    assert "\x1b" not in shown
    assert "[2J[red]gone[/red]" in shown


def test_on_a_terminal_reason_and_name_are_asked_for(daemon: Path) -> None:
    wrong = Terminal("flatten", "--socket", str(daemon))
    wrong.until("reason: ")
    wrong.type("a test\n")
    wrong.until("type the instance's name")
    wrong.type("live\n")
    assert wrong.ended() == ExitCode.REFUSED
    right = Terminal("flatten", "--reason", "a test", "--socket", str(daemon))
    right.until("type the instance's name")
    right.type("paper\n")
    assert right.ended() == 0
    # Resuming asks only because the daemon is flat now.
    resume = Terminal("resume", "--reason", "a test", "--socket", str(daemon))
    resume.until("account is FLAT")
    resume.type("paper\n")
    assert resume.ended() == 0


def test_top_survives_a_restart_and_leaves_by_q(short: Path) -> None:
    path = short / "s"
    first = start(path)
    ControlClient("paper", paths=[path], wait=20.0).get("status", Status)
    top = Terminal("top", "--socket", str(path))
    try:
        top.until("AAPL")
        first.kill()
        first.wait(10)
        top.until("waiting")
        second = start(path)
        try:
            top.seen = ""
            top.until("q leaves")
            top.type("q")
            assert top.ended() == 0
        finally:
            second.terminate()
            second.wait(10)
    finally:
        first.poll() is None and first.kill()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (60, 16)])
def test_one_frame_of_top_fits_its_size(width: int, height: int, daemon: Path) -> None:
    words = ("top", "--once", "--width", str(width), "--height", str(height))
    lines = ctl(daemon, *words).stdout.splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for word in ("RUNNING", "SYNTHETIC", "101,204.55", "AAPL", "Open orders", "Events"):
        assert word in text


def test_the_calendar_answers_as_systemd_conditions_want(short: Path) -> None:
    def ask(*words: str) -> int:
        return subprocess.run(
            [*TRADINGCTL, "calendar", "is-session", *words], capture_output=True, timeout=60
        ).returncode

    assert ask("--day", "2026-01-09") == 0
    assert ask("--day", "2026-12-25") == ExitCode.NO_SESSION
    assert ask("--day", "christmas") == 255
    assert ask("--day", "2026-01-09", "--calendar", "NOWHERE") == 255


def test_the_client_imports_nothing_heavy(daemon: Path) -> None:
    code = (
        "import sys\nfrom tradingd.cli.main import tradingctl\n"
        f"tradingctl(['status', '--socket', {str(daemon)!r}])\n"
        "heavy = {'aiohttp', 'hydra', 'omegaconf', 'duckdb', 'pyarrow', 'pandas', 'numpy',"
        " 'nautilus_trader', 'uvloop', 'exchange_calendars'}\n"
        "sys.stderr.write(' '.join(sorted(heavy & set(sys.modules))))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "RUNNING" in ended.stdout
    assert ended.stderr == ""
