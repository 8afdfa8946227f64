"""A unit that failed reaches somebody, with nothing of the product working."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.machine import Machine

pytestmark = pytest.mark.systemd

HOOK = """
import http.server, sys
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[1], "ab") as file:
            file.write(body + b"\\n")
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", 9099), Hook).serve_forever()
"""


@pytest.fixture
def told(machine: Machine) -> Iterator[Path]:
    """A web hook on the loopback; the file that keeps what it was told."""
    machine.path("/tmp/hook.py").write_text(HOOK)
    kept = machine.path("/tmp/told")
    hook = ("systemd-run", "-q", "--unit=hook", "/usr/bin/python3", "/tmp/hook.py", "/tmp/told")
    machine.exec(*hook)
    up = ("sh", "-c", "exec 3<>/dev/tcp/127.0.0.1/9099")
    machine.wait_for(
        lambda: machine.exec("bash", *up[1:], check=False).returncode == 0, "the hook listens"
    )
    store = "/etc/credstore.encrypted/alerts-unit"
    seal = f"systemd-creds encrypt --with-key=host --name=alerts-unit - {store}"
    machine.exec("sh", "-c", seal, text="http://127.0.0.1:9099/hook\n")
    yield kept
    machine.exec("rm", store)
    machine.systemctl("stop", "hook.service")
    kept.unlink(missing_ok=True)


def test_a_daemon_that_gives_up_is_told_of(machine: Machine, instance: str, told: Path) -> None:
    machine.standin("stand-in")
    machine.write_config(instance, "exit: 78\n")
    machine.link(instance, "stand-in")
    unit = f"tradingd@{instance}.service"
    machine.systemctl("start", unit, check=False)
    machine.wait_for(
        lambda: told.exists() and unit in told.read_text(), "the web hook hears of the unit"
    )
    alert = f"tradingd-alert@{unit}.service"
    machine.wait_for(lambda: machine.show(alert, "ActiveState") == "inactive", "the alert ends")
    assert machine.show(alert, "Result") == "success"


def test_every_crash_is_told_of_though_the_daemon_comes_back(
    machine: Machine, instance: str, told: Path
) -> None:
    machine.standin("stand-in")
    machine.write_config(instance, "")
    machine.link(instance, "stand-in")
    machine.drop_in(f"tradingd@{instance}.service", "RestartSec=100ms")
    machine.start(instance)
    machine.kill_main(instance, "SIGKILL")
    machine.wait_for(
        lambda: told.exists() and f"tradingd@{instance}" in told.read_text(), "the hook hears of it"
    )
    unit = f"tradingd@{instance}.service"
    machine.wait_for(lambda: machine.show(unit, "NRestarts") == "1", "the daemon is back")


def test_an_orderly_stop_is_nobodys_concern(machine: Machine, instance: str, told: Path) -> None:
    machine.standin("stand-in")
    machine.write_config(instance, "")
    machine.link(instance, "stand-in")
    machine.start(instance)
    machine.stop(instance)
    assert not told.exists()


def test_a_kill_switch_that_proves_nothing_is_told_of(
    machine: Machine, instance: str, told: Path
) -> None:
    machine.write_config(instance, "")
    machine.exec(
        "install", "-d", "-o", "tradingd", "-g", "tradingd", f"/var/lib/tradingd/{instance}"
    )
    machine.systemctl("start", f"tradingd-kill@{instance}.service", check=False)
    machine.wait_for(
        lambda: told.exists() and f"tradingd-kill@{instance}" in told.read_text(),
        "the hook hears of it",
    )
