"""Alpaca's test server as the place of a run: what trades there, and all that goes wrong."""

import os
import random
import socket
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.crash.hooks import CountedBroker, Steps
from tests.crash.life import HASTY, LATEST, Process
from tests.crash.simulated import cancel
from tradingd.brokers.alpaca import client, ear, hearing, stream
from tradingd.brokers.alpaca.broker import AlpacaBroker
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.simalpaca.__main__ import arguments
from tradingd.simalpaca.process import serve
from tradingd.vendors.alpaca.keys import Keys

KEYS: Final = Keys("PKCRASH", "nobody-checks-it")
TIMEOUT: Final = 0.25
"""Seconds to wait for an answer while the server may be silent."""

SETTINGS: Final = msgspec.structs.replace(HASTY, command_seconds=TIMEOUT)
CONNECT_SECONDS: Final = 2.0

HASTE: Final = {
    client: {"FIRST_PAUSE": 0.05, "LONGEST_PAUSE": 0.4},
    ear: {"PATIENCE": 0.3},
    hearing: {"QUIET": 0.6, "_LOOK": 0.1, "_FIRST_WAIT": 0.02, "_LONGEST_WAIT": 0.2},
    stream: {"FIRST_WAIT": 0.02, "LONGEST_WAIT": 0.2, "STEADY": 1.0},
}
"""The broker's patience, shortened so that it ends within a life."""

PING: Final = 0.3

PORTS: Final = range(15_000, 32_000)
"""Below those that the kernel gives to others: a server that is started again has its port."""


class Alpaca:
    """Alpaca's test server, and the Alpaca broker at it."""

    name = "alpaca"
    settings = SETTINGS
    exits_apart = True
    heals = 0.4
    acts = (15, 30)
    pauses = (0.8, 0.06)
    longest_life = 300
    patience = 30.0
    restarts = 0.3

    def __init__(self) -> None:
        self._port = 0

    def serve(self, folder: Path) -> int:
        """Be the broker's process."""
        words = ["--state", str(folder), "--socket", str(folder / "b.sock"), "--cash", "10000000"]
        words += ["--requests-per-minute", "0", "--hours", "any", "--port", str(port(folder))]
        return serve(arguments().parse_args(words), lambda: None)

    def process(self, folder: Path, steps: Steps, **options: Any) -> Process:
        """Put a process together."""
        return AtAlpaca(folder, steps, **options)

    def faults(self, rng: random.Random, slow: bool) -> dict[str, object]:
        """Draw a plan of misbehaviour: some of everything, or much of one kind."""
        share = rng.choice((0.0, 0.03, 0.06))
        kinds = ("drop_request", "drop_response", "late_response", "reject", "reject_later")
        odds = dict.fromkeys((*kinds, "pending"), share)
        odds |= dict.fromkeys(("disconnect_before", "disconnect_after"), share / 6)
        odds |= dict.fromkeys(STATUSES, share / 2)
        odds |= {"504_done": share, "delay": 2 * share, "partial": 0.3}
        return {
            "seed": rng.randint(0, 10**9),
            "probabilities": odds,
            "delay_seconds": [0.1, LATEST] if slow else [0.001, 0.03],
            "late_seconds": [TIMEOUT / 2, 2 * TIMEOUT],
            "hang": rng.random() < 0.5,
            "refuse_seconds": rng.choice((0.0, 0.1)),
            "disconnect_now": rng.random() < 0.1,
            "script": script(rng),
            "stream": trade_updates(rng),
            "clock_skew_seconds": rng.choice((0.0, 0.0, -45.0, 45.0, 3600.0)),
        }


KINDS: Final = (
    *("whole", "whole", "some", "some", "some", "much", "much"),
    *("mute", "half open", "closed", "refused"),
)
STATUSES: Final = ("status_429", "status_500", "status_502", "status_503", "status_504")


def script(rng: random.Random) -> dict[str, object]:
    """Draw what befalls the first requests of a kind."""
    kind = rng.choice(("cancels", "questions", "storm", "nothing", "nothing"))
    match kind:
        case "cancels":
            return {"cancel": [cancel(rng) for _ in range(40)]}
        case "questions":
            words = ("drop_request", "drop_response", "late_response", *STATUSES)
            odds = rng.choice((0.1, 0.3))
            steps = [rng.choice(words) if rng.random() < odds else "ok" for _ in range(120)]
            return {"question": steps}
        case "storm":
            # Alpaca counts all requests together: whatever is asked is refused for a while.
            calm = ["ok"] * rng.randint(3, 20)
            refused = ["status_429"] * rng.randint(3, 8)
            return dict.fromkeys(("submit", "cancel", "replace", "question"), calm + refused)
    return {}


def trade_updates(rng: random.Random) -> dict[str, object]:
    """Draw what goes wrong with the stream."""
    match rng.choice(KINDS):
        case "some":
            return {"drop": 0.05, "duplicate": 0.1, "reorder": 0.1, "delay_seconds": [0, 0.01]}
        case "much":
            return {"drop": 0.3, "duplicate": 0.3, "reorder": 0.3, "delay_seconds": [0, 0.05]}
        case "mute":
            return {"mute": True}
        case "half open":
            return {"half_open": True}
        case "closed":
            return {"close_now": True, "drop": 0.05}
        case "refused":
            return {"close_now": True, "refuse_seconds": rng.uniform(0.05, 0.4)}
    return {}


class AtAlpaca(Process):
    """A process that trades at Alpaca; its market still comes over the admin's socket."""

    def __init__(self, folder: Path, steps: Steps | None = None, **options: Any) -> None:
        super().__init__(folder, steps, client=self._trading, exits_apart=True, **options)

    def _trading(self, _admin: SimulatedBroker, steps: Steps, **options: Any) -> CountedBroker:
        for module, names in HASTE.items():
            for name, seconds in names.items():
                setattr(module, name, seconds)
        timeout = self.options["settings"].command_seconds
        self.alpaca = AlpacaBroker(
            KEYS,
            rest=f"http://127.0.0.1:{port(self.folder)}",
            timeout=timeout,
            requests_per_minute=1_000_000,
            connect_seconds=CONNECT_SECONDS,
        )
        self.alpaca._stream._ping = PING
        chance = random.Random(os.getpid())
        return CountedBroker(
            self.alpaca, steps, lingers=lambda: chance.choice((0.0, 0.002, 0.006)), **options
        )

    async def connect(self) -> None:
        await super().connect()
        await self.alpaca.connect()

    async def end(self) -> None:
        if self.shim is not None:
            await self.shim.stop()
            self.shim = None
        await self.alpaca.close()
        await super().end()


def port(folder: Path) -> int:
    """Return the port of a run's server: the same one whenever it is started."""
    file = folder / "port"
    if not file.exists():
        file.write_text(str(_free()))
    return int(file.read_text())


def _free() -> int:
    while True:
        number = random.SystemRandom().choice(PORTS)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", number))
            except OSError:
                continue
            return number
