"""SIGKILL at a random step of a random life, again and again; then a third party compares books.

    python -m tests.crash.schedule --runs 300 --seed 1
    python -m tests.crash.schedule --runs 1 --seed SEED --keep     # replay one that failed
    python -m tests.crash.schedule --runs 300 --exits-apart        # no two exits over one share

Every run has a broker process and two to four trading processes, one after the other, all forked
from here (so that imports are paid once) and connected by a real socket and a real journal file.
All but the last are killed, and the broker misbehaves; the last one recovers. Seeds are printed.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.acceptance import compare_books
from tests.crash import conduct
from tests.crash.hooks import Steps
from tests.crash.life import HASTY, come_to_rest, live
from tradingd.simbroker.__main__ import arguments as broker_arguments
from tradingd.simbroker.process import serve

LONGEST_LIFE = 300
"""A kill step is drawn up to here; a life that ends before it is cut off after its last act."""


def forked(work: Callable[[], int], output: Path) -> int:
    """Run in a child process of its own; return its pid."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
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


def serve_broker(folder: Path) -> int:
    options = broker_arguments().parse_args(
        ["--state", str(folder), "--socket", str(folder / "b.sock"), "--cash", "10000000"]
    )
    return serve(options, lambda: None)


def live_and_die(folder: Path, seed: int, step: int, slow: bool, apart: bool) -> int:
    count = asyncio.run(live(folder, seed, Steps(step), slow, exits_apart=apart))
    print(f"survived {count} steps")
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def recover(folder: Path, slow: bool, apart: bool) -> int:
    troubles = asyncio.run(come_to_rest(folder, slow, exits_apart=apart))
    (folder / "troubles").write_text("\n".join(troubles))
    return 0


def wait_for_broker(path: Path) -> None:
    end = time.monotonic() + 10
    with socket.socket(socket.AF_UNIX) as client:
        while client.connect_ex(str(path)):
            if time.monotonic() > end:
                raise TimeoutError("the broker does not listen")
            time.sleep(0.002)


def run(seed: int, folder: Path, apart: bool = False) -> list[str]:
    """Play one run; return what is wrong at its end."""
    rng = random.Random(seed)
    slow = rng.random() < 0.15
    broker = forked(lambda: serve_broker(folder), folder / "broker.log")
    try:
        wait_for_broker(folder / "b.sock")
        for number in range(rng.randint(1, 3)):
            life_seed, step = rng.randint(0, 10**9), rng.randint(1, LONGEST_LIFE)
            child = forked(
                lambda seed=life_seed, step=step: live_and_die(folder, seed, step, slow, apart),
                folder / f"life-{number}.log",
            )
            _, status = os.waitpid(child, 0)
            if not os.WIFSIGNALED(status):
                return [f"life {number} failed: {(folder / f'life-{number}.log').read_text()}"]
        child = forked(lambda: recover(folder, slow, apart), folder / "recovery.log")
        _, status = os.waitpid(child, 0)
        if status:
            return [f"recovery failed: {(folder / 'recovery.log').read_text()}"]
    finally:
        os.kill(broker, signal.SIGKILL)
        os.waitpid(broker, 0)
    troubles = [line for line in (folder / "troubles").read_text().splitlines() if line]
    books = compare_books.read(folder / "simbroker.sqlite", folder / "journal.sqlite")
    troubles += [str(finding) for finding in compare_books.compare(books)]
    return troubles + conduct.faults(folder, HASTY.settle_seconds, apart)


def main() -> int:
    """Play the runs; 1 when one of them ends wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first run")
    parser.add_argument("--keep", action="store_true", help="keep the folders of all runs")
    parser.add_argument(
        "--exits-apart", action="store_true", help="the broker holds the shares of every exit"
    )
    options = parser.parse_args()
    begun, failed = time.monotonic(), []
    for seed in range(options.seed, options.seed + options.runs):
        folder = Path(tempfile.mkdtemp(prefix=f"crash-{seed}-"))
        troubles = run(seed, folder, options.exits_apart)
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
    print(
        f"SUMMARY runs={options.runs} failed={len(failed)} seeds={options.seed}.."
        f"{options.seed + options.runs - 1} duration={seconds:.1f}s"
        + (f" failing={','.join(map(str, failed))}" if failed else "")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
