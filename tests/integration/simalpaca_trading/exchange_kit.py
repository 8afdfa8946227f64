"""A running test server: its admin socket, and clients of Alpaca's APIs."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from tests.integration.simbroker.sim_kit import Wire, wait_for

OPEN = 1_700_490_600_000_000_000  # Monday 2023-11-20 09:30 New York
MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
KEYS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}


class Exchange:
    """The server's process in a folder; leaves none behind."""

    def __init__(self, folder: Path, *options: str, env: dict[str, str] | None = None) -> None:
        self.state = folder / "state"
        self.options = options
        self.env = os.environ | (env or {})
        self.child: subprocess.Popen[bytes] | None = None
        self.ts = OPEN
        self._symbols = (f"T{a}{b}" for a, b in itertools.product(_LETTERS, _LETTERS))

    def command(self, *more: str) -> list[str]:
        return [sys.executable, "-m", "tradingd.simalpaca", "--state", str(self.state), *more]

    def start(self) -> "Exchange":
        command = self.command("--requests-per-minute", "0", *self.options)
        log = (self.state.parent / "log").open("ab")
        with log:
            self.child = subprocess.Popen(command, stderr=log, stdout=log, env=self.env)
        path = self.state / "endpoint.json"
        wait_for(lambda: self.child.poll() is not None or self._written(path), 20)
        assert self.child.poll() is None, (self.state.parent / "log").read_text()
        self.endpoint = json.loads(path.read_text())
        self.url = self.endpoint["url"]
        return self

    def _written(self, path: Path) -> bool:
        return path.exists() and json.loads(path.read_text())["pid"] == self.child.pid

    def kill(self, how: signal.Signals = signal.SIGKILL) -> int:
        self.child.send_signal(how)
        return self.child.wait(10)

    def stop(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.kill()

    def symbol(self) -> str:
        """Return a symbol that no other test uses."""
        return next(self._symbols)

    def tell(self, op: str, **fields: Any) -> dict[str, Any]:
        with Wire(Path(self.endpoint["socket"])) as wire:
            reply = wire.ask(op, **fields)
        assert reply["ok"], reply
        return reply

    def bar(self, symbol: str, *prices: str, at: int = 0, volume: int = 10_000) -> None:
        """Tell the next minute's bar: open, high, low, close, or one price for all."""
        self.ts = at or self.ts + MINUTE
        bar = [symbol, *(prices if len(prices) == 4 else prices * 4), volume]
        self.tell("market", ts=self.ts, bars=[bar])

    def misbehave(self, **plan: Any) -> None:
        self.tell("misbehave", plan=plan)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        """Send a request and return status, body and headers of the answer."""
        data = None if body is None else json.dumps(body).encode()
        given = {**(KEYS if headers is None else headers), "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, _read(answer.read()), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _read(error.read()), dict(error.headers)

    def get(self, path: str) -> Any:
        status, body, _ = self.ask("GET", path)
        assert status == 200, body
        return body

    def submit(self, symbol: str, side: str, qty: int, kind: str = "market", **more: Any) -> Any:
        """Send an order that must be taken."""
        status, body, _ = self.order(symbol, side, qty, kind, **more)
        assert status == 200, body
        return body

    def order(
        self, symbol: str, side: str, qty: int, kind: str = "market", **more: Any
    ) -> tuple[int, Any, dict[str, str]]:
        fields = {"symbol": symbol, "side": side, "qty": str(qty), "type": kind}
        fields |= {"time_in_force": "day"}
        return self.ask("POST", "/v2/orders", fields | more)

    def look(self, order: Any) -> Any:
        """Return an order as it is now."""
        return self.get(f"/v2/orders/{order['id']}")

    def held(self, symbol: str) -> int:
        found = [p for p in self.get("/v2/positions") if p["symbol"] == symbol]
        return int(found[0]["qty"]) if found else 0

    def listen(self) -> "Ear":
        return Ear(self.url)


class Ear:
    """A raw connection to the stream of trade updates."""

    def __init__(self, url: str) -> None:
        self._open = ExitStack()
        address = f"ws{url.removeprefix('http')}/stream"
        self.socket = self._open.enter_context(connect(address, ping_interval=None))

    def __enter__(self) -> "Ear":
        data = {"key_id": "key", "secret_key": "secret"}
        said = self.say(action="authenticate", data=data)
        assert said["data"]["status"] == "authorized"
        said = self.say(action="listen", data={"streams": ["trade_updates"]})
        assert said == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()

    def say(self, **message: Any) -> Any:
        self.socket.send(json.dumps(message))
        return json.loads(self.socket.recv(5))

    def hear(self, count: int, seconds: float = 5.0) -> list[Any]:
        """Return the next updates."""
        end = time.monotonic() + seconds
        return [
            json.loads(self.socket.recv(max(0.0, end - time.monotonic())))["data"]
            for _ in range(count)
        ]

    def until_listening(self) -> list[Any]:
        """Return the updates up to the answer to a subscription."""
        told = []
        while (message := json.loads(self.socket.recv(5)))["stream"] != "listening":
            told.append(message["data"])
        return told

    def silent(self, seconds: float = 0.3) -> bool:
        try:
            self.socket.recv(seconds)
        except TimeoutError:
            return True
        return False


def _read(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return data.decode()


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
