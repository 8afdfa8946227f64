"""SIGKILL of the whole daemon at random moments of a session; then a third party compares books.

    python -m tests.crash.daemon_schedule --runs 20 --seed 1
    python -m tests.crash.daemon_schedule --runs 1 --seed SEED --keep     # replay one that failed
    python -m tests.crash.daemon_schedule --runs 50 --broker alpaca       # Alpaca's test server

Every run has a broker process and two to four daemons, one after the other, each with the engine,
a strategy that trades at random, a journal and a socket of its own. All but the last are killed
(a quarter of them during the start), and the broker misbehaves; the last one is left alone until
the replay is over. The moment of a kill is wall time, so a failing seed repeats the conditions, not
the instant.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.acceptance import compare_books
from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import READY_SECONDS, Broker, Paper, desk_strategy, query
from tests.crash import daemon_alpaca, tally

SESSION = (
    "feed.days=2",
    "feed.symbols=3",
    "feed.longest_wait=0.1",
    "risk=open",
    "risk.orders_per_minute=100000",
    "supervision.broker_errors=0",
    "supervision.settle_seconds=1",
    "supervision.command_seconds=1",
)
IN_THE_START = 0.25
"""Share of the kills that come during the start; the others count from READY."""


def faults(rng: random.Random) -> dict[str, object]:
    """Return a plan of misbehaviour; mild, so that a life gets somewhere."""
    share = rng.choice((0.0, 0.02, 0.05))
    kinds = ("drop_request", "drop_response", "late_response", "reject")
    odds = dict.fromkeys(kinds, share)
    odds |= {"disconnect_before": share / 4, "disconnect_after": share / 4}
    odds |= {"delay": share, "partial": 0.2, "duplicate": share, "reorder": share}
    return {
        "seed": rng.randint(0, 10**9),
        "probabilities": odds,
        "delay_seconds": [0.001, 0.05],
        "late_seconds": [0.1, 0.5],
    }


def run(seed: int, home: Path) -> tuple[list[str], Counter[str]]:
    """Play one run; return what is wrong at its end, and what it has met."""
    troubles = _simulated(seed, home)
    return troubles, Counter()


def _simulated(seed: int, home: Path) -> list[str]:
    rng = random.Random(seed)
    broker = Broker(home).start()
    strategy = desk_strategy("AtRandom", seed=rng.randint(0, 10**6))
    daemon = Paper(home, *SESSION, *broker.overrides, *strategy)
    try:
        for _ in range(rng.randint(1, 3)):
            broker.ask("misbehave", plan=faults(rng))
            if trouble := lived(daemon, rng):
                return [trouble]
        broker.ask("misbehave", plan={})
        daemon.start("feed.speed=0", "feed.at_end=stay").ready()
        eventually(lambda: over(daemon), "the end of the replay", 240)
        eventually(lambda: not unprotected(daemon, broker), "every position is protected", 40)
        code = daemon.stop()
        return [*([f"exit code {code}"] if code else []), *wrong(daemon, broker)]
    except AssertionError as error:
        return [f"{error}\n{daemon.errors()[-4000:]}"]
    finally:
        daemon.close()
        broker.close()


def lived(daemon: Paper, rng: random.Random) -> str:
    """Start a daemon and kill it; return why it ended by itself, if it did."""
    daemon.start(f"feed.speed={rng.choice((1200, 6000))}", "feed.at_end=stay")
    if rng.random() < IN_THE_START:
        seconds = rng.uniform(0.5, 3.0)
    else:
        eventually(lambda: daemon.notified.is_ready or daemon.ended, "READY", READY_SECONDS)
        seconds = rng.uniform(0.2, 4.0)
    end = time.monotonic() + seconds
    while not daemon.ended and time.monotonic() < end:
        time.sleep(0.01)
    if daemon.ended:
        return f"a life ended by itself\n{daemon.errors()[-4000:]}"
    daemon.kill()
    return ""


def over(daemon: Paper) -> bool:
    """Tell whether the replay is over and nothing is on its way."""
    status = daemon.status()
    ended = any(event.kind == "feed" for event in daemon.control.events(0, follow=False))
    return ended and status.unknown_orders == 0


def unprotected(daemon: Paper, broker: Broker) -> list[str]:
    """Return the symbols that are held and have no working stop at the broker."""
    held = query(broker.store, "SELECT symbol FROM positions WHERE quantity <> 0")
    stops = query(
        broker.store, "SELECT symbol FROM orders WHERE status='WORKING' AND type='STOP_MARKET'"
    )
    return sorted({row["symbol"] for row in held} - {row["symbol"] for row in stops})


def wrong(daemon: Paper, broker: Broker) -> list[str]:
    """Return every disagreement, and what else must not be."""
    books = compare_books.read(broker.store, daemon.journal)
    troubles = [str(finding) for finding in compare_books.compare(books)]
    troubles += [f"unprotected: {symbol}" for symbol in unprotected(daemon, broker)]
    halted = daemon.rows("SELECT * FROM states WHERE state = 'HALTED'")
    troubles += [f"halted: {row['reason']}" for row in halted]
    marks = daemon.rows("SELECT name, due FROM jobs WHERE name <> 'snapshot' AND status = 'done'")
    if len({(row["name"], row["due"]) for row in marks}) != len(marks):
        troubles.append(f"a job ran twice: {marks}")
    ids = query(broker.store, "SELECT client_order_id FROM orders WHERE client_order_id <> ''")
    if len({row["client_order_id"] for row in ids}) != len(ids):
        troubles.append("an order was sent twice")
    if not daemon.rows("SELECT * FROM fills"):
        troubles.append("nothing was traded: the run proves nothing")
    return troubles


def main() -> int:
    """Play the runs; 1 when one of them ends wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first run")
    parser.add_argument("--broker", choices=("simulated", "alpaca"), default="simulated")
    parser.add_argument("--keep", action="store_true", help="keep the folders of all runs")
    options = parser.parse_args()
    play = daemon_alpaca.run if options.broker == "alpaca" else run
    begun, failed, met = time.monotonic(), [], Counter[str]()
    for seed in range(options.seed, options.seed + options.runs):
        home = Path(tempfile.mkdtemp(prefix=f"td-{seed}-"))
        troubles, counts = play(seed, home)
        met += counts
        if troubles:
            failed.append(seed)
            print(f"seed {seed} FAILED, see {home}")
            for trouble in troubles:
                print(f"    {trouble}")
        elif options.keep:
            print(f"seed {seed}: {home}")
        else:
            shutil.rmtree(home)
        sys.stdout.flush()
    print(tally.text(met))
    print(
        f"SUMMARY runs={options.runs} failed={len(failed)} seeds={options.seed}.."
        f"{options.seed + options.runs - 1} duration={time.monotonic() - begun:.1f}s"
        + (f" failing={','.join(map(str, failed))}" if failed else "")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
