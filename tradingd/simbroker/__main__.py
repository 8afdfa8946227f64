"""`python -m tradingd.simbroker --state DIR --socket PATH`: run the simulated broker."""

import argparse
import os
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from tradingd.simbroker.amounts import BadRequest, parse

_TELL: Final = 3


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tradingd.simbroker", description=__doc__)
    add = parser.add_argument
    add("--state", type=Path, required=True, help="folder of simbroker.sqlite")
    add("--socket", type=Path, required=True, help="Unix socket to listen on")
    add("--account", default="SIM-1", help="name of the account (a new store keeps it)")
    add("--cash", type=_amount, default=_amount("100000"), help="cash of a new account, dollars")
    add("--half-spread-bps", type=_half_spread, default=_half_spread("1"))
    add("--commission-per-share", type=_amount, default=_amount("0.005"), help="dollars")
    add("--commission-min", type=_amount, default=_amount("1"), help="dollars per order")
    add(
        "--arrivals",
        choices=("touch", "next-bar"),
        default="touch",
        help="what arrives between bars: trades at the touch, or waits for the next bar",
    )
    add(
        "--participation",
        type=_percent,
        default=Decimal(0),
        help="percent of a bar's volume; 0: all",
    )
    add("--unique-ids", action="store_true", help="reject a client order id used before")
    add("--idle-exit", type=float, default=0.0, help="seconds without a client; 0: never")
    add("--detach", action="store_true", help="return when the socket answers, run on behind")
    return parser


def main() -> int:
    """Run until stopped, or, detached, until the socket answers."""
    options = arguments().parse_args()
    options.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    if options.detach:
        return _detached(options)
    from tradingd.simbroker.process import serve

    return serve(options, lambda: None)


def _detached(options: argparse.Namespace) -> int:
    """Fork a session of its own; the parent waits for a word on a pipe and ends."""
    ready, tell = os.pipe()
    if os.fork():
        os.close(tell)
        with os.fdopen(ready, "rb") as pipe:
            word = pipe.read()
        # One byte is the exit code; nothing at all means that it died before it could say.
        return word[0] if word else 1
    os.setsid()
    _let_go(options.state / "simbroker.log", tell)
    from tradingd.simbroker.process import serve

    def say(code: int) -> None:
        os.write(_TELL, bytes([code]))
        os.close(_TELL)

    told = []

    def up() -> None:
        told.append(True)
        say(0)

    code = serve(options, up)
    if not told:
        say(code)
    os._exit(code)


def _let_go(path: Path, tell: int) -> None:
    """Write to the log, keep the pipe to the parent as descriptor 3, close whatever else is open.

    An inherited descriptor would keep its other end waiting for as long as this process lives.
    """
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    kept = os.dup(tell)  # above all of 0 to 3 now, so that none is overwritten before its turn
    for source, target in ((nothing, 0), (log, 1), (log, 2), (kept, _TELL)):
        os.dup2(source, target)
    os.closerange(_TELL + 1, os.sysconf("SC_OPEN_MAX"))


def _amount(text: str) -> int:
    try:
        amount = parse(text, "amount")
    except BadRequest as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if amount < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return amount


def _half_spread(text: str) -> int:
    amount = _amount(text)
    units, rest = divmod(amount, 100_000)
    if rest or units > 50_000_000:
        raise argparse.ArgumentTypeError("0 to 5000 basis points with at most four decimals")
    return units


def _percent(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"not a number: {text!r}") from None
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError("0 to 100")
    return value


if __name__ == "__main__":
    sys.exit(main())
