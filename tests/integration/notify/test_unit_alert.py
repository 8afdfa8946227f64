import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.smtp_peer import smtp_peer
from tests.fakes.web_peer import black_hole, closed_port, web_peer
from tests.stopwatch import Stopwatch
from tradingd.notify.unit import compose, fault_of

ROOT = Path(__file__).resolve().parents[3]
UNIT = "tradingd@paper.service"
MONITOR = {
    "MONITOR_SERVICE_RESULT": "watchdog",
    "MONITOR_EXIT_CODE": "dumped",
    "MONITOR_EXIT_STATUS": "QUIT",
    "MONITOR_INVOCATION_ID": "0123456789abcdef0123456789abcdef",
    "MONITOR_UNIT": UNIT,
}


def run(folder: Path, *addresses: str, seconds: float = 20) -> subprocess.CompletedProcess[str]:
    """Run the program as the alert unit does, with the credential that systemd would pass."""
    (folder / "alerts-unit").write_text("# who is told\n\n" + "\n".join(addresses))
    return subprocess.run(
        [sys.executable, "-m", "tradingd.notify.unit", UNIT, "--seconds", str(seconds)],
        env={**os.environ, **MONITOR, "CREDENTIALS_DIRECTORY": str(folder)},
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip


def test_a_web_hook_hears_what_failed_why_and_what_to_do(tmp_path: Path) -> None:
    with web_peer() as peer:
        done = run(tmp_path, f"http://me:pa%40ss@127.0.0.1:{peer.port}/hook/T0ken1234")
    assert done.returncode == 0, done.stderr
    ((path, body),) = peer.received
    assert path == "/hook/T0ken1234"
    assert body["title"] == "tradingd@paper.service FAILED (watchdog)"
    assert "made no progress and the watchdog killed it" in body["message"]
    assert "tradingd kill --instance paper" in body["message"]
    assert body["message"].splitlines()[-1].startswith("Next: journalctl -u tradingd@paper.service")
    assert "T0ken1234" not in done.stderr + done.stdout


def test_the_file_alone_runs_under_the_interpreter_of_the_system(tmp_path: Path) -> None:
    system = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
    with web_peer() as peer:
        (tmp_path / "alerts").write_text(f"http://127.0.0.1:{peer.port}/")
        shutil.copy(ROOT / "tradingd" / "notify" / "unit.py", tmp_path / "alert-unit")
        done = subprocess.run(
            [system, "-I", str(tmp_path / "alert-unit"), UNIT],
            env={**MONITOR, "CREDENTIALS_DIRECTORY": str(tmp_path), "PATH": os.environ["PATH"]},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert peer.bodies[0]["unit"] == UNIT


def test_slack_gets_text_alone(tmp_path: Path) -> None:
    with web_peer() as peer:
        done = run(tmp_path, f"slack+http://127.0.0.1:{peer.port}/services/T/B/X")
    assert done.returncode == 0
    assert set(peer.bodies[0]) == {"text"}
    assert peer.bodies[0]["text"].startswith("*tradingd@paper.service FAILED (watchdog)*\n")


@pytest.mark.parametrize("login", [False, True])
def test_a_mail_server_gets_the_message(tmp_path: Path, login: bool) -> None:
    with smtp_peer() as peer:
        peer.offer_login = login
        user = "bot:pa%40ss@" if login else ""
        done = run(tmp_path, f"smtp://{user}127.0.0.1:{peer.port}/?from=a@x.org&to=b@x.org,c@x.org")
    assert done.returncode == 0, done.stderr
    ((sender, recipients, message),) = peer.received
    assert (sender, recipients) == ("a@x.org", ["b@x.org", "c@x.org"])
    assert message["Subject"] == "tradingd@paper.service FAILED (watchdog)"
    assert bool(peer.logins) is login


def test_one_address_that_works_is_enough_and_a_black_hole_holds_nobody_up(tmp_path: Path) -> None:
    with black_hole() as port, web_peer() as peer:
        with Stopwatch() as watch:
            done = run(
                tmp_path, f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{peer.port}/",
                "http://", seconds=2,
            )  # fmt: skip
        assert watch.seconds < 8
    assert done.returncode == 0
    assert "told 1 of 2" in done.stderr
    assert "alerts-unit:5 names no host" in done.stderr


def test_a_server_in_trouble_is_tried_again(tmp_path: Path) -> None:
    with web_peer() as peer:
        peer.status = 500
        done = run(tmp_path, f"http://127.0.0.1:{peer.port}/", seconds=2)
        assert done.returncode == 1
        assert peer.attempts >= 2
        assert "HTTPError 500" in done.stderr


def test_nobody_told_is_a_failure(tmp_path: Path) -> None:
    done = run(tmp_path, f"http://user:s3cr3t@127.0.0.1:{closed_port()}/t0k3n", seconds=1)
    assert done.returncode == 1
    assert "told 0 of 1" in done.stderr
    assert "address 1 (http://127.0.0.1): URLError" in done.stderr
    assert "Traceback" not in done.stderr
    assert "s3cr3t" not in done.stderr
    assert "t0k3n" not in done.stderr


@pytest.mark.parametrize("content", ["", "# nobody\n", "nosuch://s3cr3t"])
def test_no_usable_address_is_a_configuration_error(tmp_path: Path, content: str) -> None:
    done = run(tmp_path, content)
    assert done.returncode == 78
    assert "no address in the credential alerts-unit" in done.stderr
    assert "s3cr3t" not in done.stderr


def test_a_missing_credential_is_a_configuration_error(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "CREDENTIALS_DIRECTORY"}
    done = subprocess.run(
        [sys.executable, "-m", "tradingd.notify.unit", UNIT],
        env=environment, capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 78
    assert "CREDENTIALS_DIRECTORY" in done.stderr


def test_the_sender_needs_nothing_but_the_standard_library() -> None:
    code = "import tradingd.notify.unit, sys; print([m for m in sys.modules if '.' not in m])"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert "tradingd" in done.stdout
    assert not [one for one in ("apprise", "msgspec", "aiohttp", "psutil") if one in done.stdout]


def test_a_long_journal_loses_its_oldest_lines_visibly() -> None:
    lines = [f"line {i} " + "x" * 200 for i in range(20)]
    _, body = compose(UNIT, MONITOR, lines)
    assert len(body) < 2_700
    assert "[... earlier lines cut]" in body
    assert "line 19 " in body
    assert "line 0 " not in body


def test_a_configuration_error_is_not_answered_with_a_restart() -> None:
    _, body = compose(UNIT, {"MONITOR_EXIT_STATUS": "78"}, [])
    assert "correct the configuration" in body


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("https://hooks.example.org/x", ""),
        ("smtps://u:p@mail.example.org/?to=a@b.c", ""),
        ("smtps://u:p@mail.example.org/", "names no receiver: add ?to=ADDRESS"),
        ("https://host:port/", "is no address"),
        ("https:///path", "names no host"),
    ],
)
def test_addresses_are_checked_before_anything_fails(address: str, fault: str) -> None:
    assert fault_of(address) == fault


def test_a_crash_that_a_restart_follows_is_told_apart_from_giving_up() -> None:
    crashed, said = compose(UNIT, MONITOR, [], again=True)
    failed, down = compose(UNIT, MONITOR, [])
    assert (crashed, failed) == (
        "tradingd@paper.service CRASHED (watchdog)",
        "tradingd@paper.service FAILED (watchdog)",
    )
    assert "systemd starts it again." in said
    assert "reset-failed" not in said
    assert "It is down and stays down." in down
    assert "reset-failed" in down
