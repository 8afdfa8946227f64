"""The simulated broker of an instance as a unit of its own, on the terms of its configuration.

    python -P -m tradingd.app.trading.broker_unit INSTANCE [OPTION...]

Reads the configuration, then becomes `python -m tradingd.simbroker`, which imports nothing of the
rest. Options are added to its command line and win.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tradingd.app.clients import broker_socket
from tradingd.app.trading import brokers
from tradingd.config.load import load
from tradingd.config.paths import state_root
from tradingd.kits.failure import Failure


def command(instance: str, options: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the broker's command line.

    Raises
    ------
    Failure
        CONFIG, for a configuration that does not say on what terms it trades.
    """
    config = load((), instance=instance).config
    state: Path = state_root(instance)
    return (
        *(sys.executable, "-P", "-m", "tradingd.simbroker"),
        *("--state", str(state / "simbroker")),
        *("--socket", str(broker_socket(config, state))),
        *brokers.broker_options(config, instance),
        *options,
    )


def main(words: Sequence[str]) -> int:
    """Become the broker, or say in one line why not."""
    try:
        program, *rest = command(words[0], words[1:])
    except Failure as failure:
        sys.stderr.write(f"tradingd-simbroker: {failure.line()}\n")
        return int(failure.code)
    os.execv(program, (program, *rest))  # noqa: S606 - no shell, our own interpreter


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
