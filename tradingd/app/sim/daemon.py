"""A daemon as a child process that is told apart from every other one of the machine."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from tradingd.kits.failure import ExitCode, Failure

_READY: Final = 60.0
_PEACE: Final = 90.0


class DrillDaemon:
    """One instance with state, configuration and data in a folder of its own.

    Parameters
    ----------
    folder : Path
        Where everything of it lies.
    overrides : sequence of str
        Its configuration.
    secrets_ : mapping
        Environment variables that its references name.
    """

    def __init__(self, folder: Path, overrides: Sequence[str], secrets_: Mapping[str, str]) -> None:
        self.name = f"drill-{secrets.token_hex(3)}"
        self._folder = folder
        self._overrides = overrides
        self._environment = {**os.environ, **self.places, **secrets_}
        self._environment.pop("NOTIFY_SOCKET", None)
        self._environment.pop("STATE_DIRECTORY", None)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def places(self) -> dict[str, str]:
        """Environment variables that lead to its folders."""
        names = ("STATE", "CONFIG", "DATA")
        homes = {f"XDG_{name}_HOME": str(self._folder / name.lower()) for name in names}
        return {**homes, "XDG_RUNTIME_DIR": str(self._folder / "run")}

    @property
    def state(self) -> Path:
        """Its state folder."""
        return self._folder / "state" / "tradingd" / self.name

    @property
    def log(self) -> Path:
        """What it said."""
        return self._folder / "daemon.log"

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        """Make its folders."""
        (self._folder / "run").mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, whatever happened."""
        if self.running:
            self.send(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(30.0)
            if self.running:
                self.send(signal.SIGKILL)

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises
        ------
        Failure
            REFUSED, when it ends instead; its log says why.
        """
        told = self._folder / "notify"
        told.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear, self.log.open("ab") as log:
            ear.bind(str(told))
            ear.settimeout(0.2)
            self._process = subprocess.Popen(  # noqa: S603 - our own module, our own interpreter
                [sys.executable, "-P", "-m", "tradingd", "run", "-i", self.name, *self._overrides],
                env={**self._environment, "NOTIFY_SOCKET": str(told)},
                stdout=log,
                stderr=log,
                process_group=0,  # Ctrl-C is for who started it, who ends it in order
            )
            self._await_ready(ear)

    def differences(self) -> tuple[str, ...]:
        """Let another program compare its journal with its broker; return what differs.

        Raises
        ------
        Failure
            RECONCILE, when that program does not answer.
        """
        done = subprocess.run(  # noqa: S603 - our own module, our own interpreter
            [
                *(sys.executable, "-P", "-m", "tradingd", "verify", "-i", self.name, "--json"),
                *self._overrides,
            ],
            env=self._environment,
            capture_output=True,
            check=False,
            timeout=_PEACE,
        )
        try:
            said = msgspec.json.decode(done.stdout)
            return tuple(str(one["text"]) for one in said["findings"])
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise Failure(
                "the books of the drill could not be compared",
                code=ExitCode.RECONCILE,
                where=str(self._folder),
                found=done.stderr.decode(errors="replace").strip()[-500:],
                next_step=f"tradingd verify -i {self.name}",
            ) from error

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self.wait(10.0)

    def wait(self, seconds: float = _PEACE) -> int:
        """Return its exit code once it has ended."""
        assert self._process is not None, "it was never started"
        return self._process.wait(seconds)

    def end_of_market(self, seconds: float) -> int:
        """Return its exit code once its market is over.

        Raises
        ------
        Failure
            REFUSED, when it goes on for longer than this.
        """
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(
                "the daemon of the drill does not come to its end",
                code=ExitCode.REFUSED,
                where=str(self.log),
                expected=f"the end of the market within {seconds:.0f} s",
                found=_last_line(self.log),
                next_step="read the log; a busy machine needs a smaller --speed",
            ) from None

    def _await_ready(self, ear: socket.socket) -> None:
        end = time.monotonic() + _READY
        while time.monotonic() < end and self.running:
            with contextlib.suppress(TimeoutError):
                if b"READY=1" in ear.recv(65_536).splitlines():
                    return
        raise Failure(
            "the daemon of the drill does not become ready",
            code=ExitCode.REFUSED,
            where=str(self.log),
            found=_last_line(self.log),
            next_step="read the log; tradingd doctor",
        )


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"
