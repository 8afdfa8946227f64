"""The real process and a raw connection to it."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

OPEN = 1_700_490_600_000_000_000
MINUTE = 60_000_000_000


def wait_for(condition, seconds=30.0):
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never came true"
        time.sleep(0.005)


class Process:
    """A broker's process in a folder; leaves none behind."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.state = folder / "state"
        self.socket = folder / "s.sock"
        self.options = options
        self.child: subprocess.Popen[bytes] | None = None

    def command(self, *more: str) -> list[str]:
        module = [sys.executable, "-m", "tradingd.simbroker"]
        return [*module, "--state", str(self.state), "--socket", str(self.socket), *more]

    def start(self) -> "Process":
        self.child = subprocess.Popen(
            self.command(*self.options), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        wait_for(lambda: self.child.poll() is not None or self.answers())
        assert self.child.poll() is None, self.child.stderr.read().decode()
        return self

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def kill(self, how: signal.Signals = signal.SIGKILL) -> int:
        self.child.send_signal(how)
        code = self.child.wait(10)
        self.child.stderr.close()
        return code

    def stop(self) -> None:
        if self.child is None:
            return
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait(10)
        self.child.stderr.close()


class Wire:
    """A raw connection: whole lines out, replies and events in."""

    def __init__(self, path: Path, timeout: float = 5.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rb")
        self._id = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def send(self, op: str, **fields: Any) -> int:
        """Send a request without waiting."""
        self._id += 1
        self.raw(json.dumps({"id": self._id, "op": op, **fields}).encode() + b"\n")
        return self._id

    def raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def line(self) -> dict[str, Any] | None:
        """Return the next line; None at the end of the connection."""
        try:
            said = self._file.readline()
        except ConnectionResetError:
            return None
        return json.loads(said) if said else None

    def reply(self, number: int) -> dict[str, Any] | None:
        """Read up to the reply to a request, keeping events."""
        while (body := self.line()) is not None:
            if body.get("id") == number:
                return body
            if "event" in body:
                self.events.append(body)
        return None

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """Send a request and return its reply."""
        reply = self.reply(self.send(op, **fields))
        assert reply is not None, "the connection ended"
        return reply

    def order(self, name: str, side: str = "BUY", quantity: int = 10, kind: str = "MARKET", **more):
        fields = {"client_order_id": name, "symbol": "SPY", "side": side, "quantity": quantity}
        return fields | {"type": kind} | more

    def submit(self, name: str, *args: Any, **more: Any) -> dict[str, Any]:
        return self.ask("submit", **self.order(name, *args, **more))

    def bar(self, minute: int, price: str, low: str = "", high: str = "") -> dict[str, Any]:
        bar = ["SPY", price, high or price, low or price, price, 1000]
        return self.ask("market", ts=OPEN + minute * MINUTE, bars=[bar])

    def until_event(self, seq: int) -> None:
        """Read up to an event."""
        while not self.events or max(event["seq"] for event in self.events) < seq:
            body = self.line()
            assert body is not None, "the connection ended"
            self.events.append(body)
