"""SIGKILL at a random step of a random life, again and again; then a third party compares books.

    python -m tests.crash.schedule --runs 300 --seed 1
    python -m tests.crash.schedule --runs 1 --seed SEED --keep     # replay one that failed
    python -m tests.crash.schedule --runs 300 --broker apart       # no two exits over one share
    python -m tests.crash.schedule --runs 300 --broker alpaca      # Alpaca's test server

Every run has a broker process and two to four trading processes, one after the other, all forked
from here (so that imports are paid once) and connected by a real socket and a real journal file.
All but the last are killed, and the broker misbehaves; the last one recovers. Alpaca's test server
is killed and started again, too. Seeds are printed, and how often each fault was met.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from tests.acceptance import compare_books
from tests.crash import conduct, tally
from tests.crash.hooks import Steps
from tests.crash.life import Venue, come_to_rest, live
from tests.crash.simulated import Simulated

STOPS = (signal.SIGINT, signal.SIGTERM)

LATEST_RESTART = 1.0
"""Seconds of a life within which the broker process is killed, when it is."""


class Place(Venue, Protocol):
    """Where a run trades, and how its broker process is made."""

    @property
    def longest_life(self) -> int:
        """A kill step is drawn up to here; a shorter life is cut off after its last act."""

    @property
    def restarts(self) -> float:
        """Share of the lives in which the broker process is killed and started again."""

    def serve(self, folder: Path) -> int:
        """Be the broker process."""


def places() -> dict[str, Callable[[], Place]]:
    return {
        "simulated": Simulated,
        "apart": lambda: Simulated(exits_apart=True),
        "alpaca": _alpaca,
    }


def _alpaca() -> Place:
    # Libraries of numbers make threads when they are imported; those would not survive a fork.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from tests.crash.alpaca import Alpaca

    return Alpaca()


def forked(work: Callable[[], int], output: Path) -> int:
    """Run in a child process of its own; return its pid."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        for number in STOPS:
            signal.signal(number, signal.SIG_DFL)
        log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        code = work()
    except BaseException:  # noqa: BLE001 - told by the exit code and the log
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class BrokerProcess:
    """The broker process of a run; one after the other."""

    def __init__(self, place: Place, folder: Path) -> None:
        self._place = place
        self._folder = folder
        self._pid = 0

    def start(self) -> None:
        """Start it and wait until it listens."""
        place, folder = self._place, self._folder
        self._pid = forked(lambda: place.serve(folder), folder / "broker.log")
        wait_for_broker(folder / "b.sock")

    def kill(self) -> None:
        """End it at once."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)

    def tell(self, plan: dict[str, object]) -> None:
        """Let it misbehave."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(10)
            link.connect(str(self._folder / "b.sock"))
            message = {"id": 1, "op": "misbehave", "plan": plan}
            link.sendall(json.dumps(message).encode() + b"\n")
            link.makefile("rb").readline()


def live_and_die(folder: Path, seed: int, step: int, slow: bool, place: Place) -> int:
    count = asyncio.run(live(folder, seed, Steps(step), slow, place))
    print(f"survived {count} steps")
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def recover(folder: Path, seed: int, slow: bool, place: Place) -> int:
    troubles = asyncio.run(come_to_rest(folder, seed, slow, place))
    (folder / "troubles").write_text("\n".join(troubles))
    return 0


def wait_for_broker(path: Path) -> None:
    end = time.monotonic() + 10
    with socket.socket(socket.AF_UNIX) as client:
        while client.connect_ex(str(path)):
            if time.monotonic() > end:
                raise TimeoutError("the broker does not listen")
            time.sleep(0.002)


def run(seed: int, folder: Path, place: Place) -> list[str]:
    """Play one run; return what is wrong at its end."""
    rng = random.Random(seed)
    slow = rng.random() < 0.15
    broker = BrokerProcess(place, folder)
    broker.start()
    try:
        for number in range(rng.randint(1, 3)):
            if trouble := _life(rng, number, slow, folder, place, broker):
                return [trouble]
        last = rng.randint(0, 10**9)
        child = forked(lambda: recover(folder, last, slow, place), folder / "recovery.log")
        _, status = os.waitpid(child, 0)
        if status:
            return [f"recovery failed: {(folder / 'recovery.log').read_text()}"]
    finally:
        broker.kill()
    troubles = [line for line in (folder / "troubles").read_text().splitlines() if line]
    books = compare_books.read(folder / "simbroker.sqlite", folder / "journal.sqlite")
    troubles += [str(finding) for finding in compare_books.compare(books)]
    return troubles + conduct.faults(folder, place.settings.settle_seconds, place.exits_apart)


def _life(
    rng: random.Random, number: int, slow: bool, folder: Path, place: Place, broker: BrokerProcess
) -> str:
    """Play a life that is killed; return why it ended by itself, if it did."""
    seed, step = rng.randint(0, 10**9), rng.randint(1, place.longest_life)
    log = folder / f"life-{number}.log"
    child = forked(lambda: live_and_die(folder, seed, step, slow, place), log)
    if rng.random() < place.restarts:
        ended = _restarted(child, random.Random(seed + 1), slow, place, broker)
    else:
        ended = None
    status = os.waitpid(child, 0)[1] if ended is None else ended
    return "" if os.WIFSIGNALED(status) else f"life {number} failed: {log.read_text()}"


def _restarted(
    child: int, rng: random.Random, slow: bool, place: Place, broker: BrokerProcess
) -> int | None:
    """Kill the broker process in a life and start another; return how the life ended before it."""
    end = time.monotonic() + rng.uniform(0, LATEST_RESTART)
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        time.sleep(0.005)
    broker.kill()
    time.sleep(rng.choice((0.0, 0.2)))
    broker.start()
    broker.tell(place.faults(rng, slow))
    return None


def main() -> int:
    """Play the runs; 1 when one of them ends wrong."""
    # A thread of jemalloc's, which Arrow brings along, holds nothing that a child would need.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    options = _options()
    place = places()[options.broker]()
    begun, failed, met, last = time.monotonic(), [], Counter[str](), options.seed - 1
    for seed, folder in _folders(options):
        last = seed
        troubles = run(seed, folder, place)
        met += tally.met(folder)
        if troubles:
            failed.append(seed)
            print(f"seed {seed} FAILED, see {folder}")
            for trouble in troubles:
                print(f"    {trouble}")
        elif options.keep:
            print(f"seed {seed}: {folder}")
        else:
            shutil.rmtree(folder)
        sys.stdout.flush()
    seconds = time.monotonic() - begun
    print(tally.text(met))
    print(
        f"SUMMARY runs={last - options.seed + 1} failed={len(failed)} seeds={options.seed}.."
        f"{last} duration={seconds:.1f}s"
        + (f" failing={','.join(map(str, failed))}" if failed else "")
    )
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first run")
    parser.add_argument("--broker", choices=places(), default="simulated")
    parser.add_argument("--keep", action="store_true", help="keep the folders of all runs")
    return parser.parse_args()


def _folders(options: argparse.Namespace) -> Iterator[tuple[int, Path]]:
    """Yield seeds and folders of the runs; SIGINT or SIGTERM make the present run the last one."""
    stopped: list[int] = []
    for number in STOPS:
        signal.signal(number, lambda number, _frame: stopped.append(number))
    for seed in range(options.seed, options.seed + options.runs):
        if stopped:
            return
        yield seed, Path(tempfile.mkdtemp(prefix=f"crash-{seed}-"))


if __name__ == "__main__":
    sys.exit(main())
