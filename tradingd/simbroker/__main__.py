"""`python -m tradingd.simbroker --state DIR --socket PATH`: run the simulated broker."""

import argparse
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path

from tradingd.simbroker.amounts import BadRequest, parse
from tradingd.simbroker.detach import detached


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tradingd.simbroker", description=__doc__)
    add = parser.add_argument
    add("--state", type=Path, required=True, help="folder of simbroker.sqlite")
    add("--socket", type=Path, required=True, help="Unix socket to listen on")
    add("--account", default="SIM-1", help="name of the account (a new store keeps it)")
    add("--cash", type=amount, default=amount("100000"), help="cash of a new account, dollars")
    add("--half-spread-bps", type=half_spread, default=half_spread("1"))
    add("--commission-per-share", type=amount, default=amount("0.005"), help="dollars")
    add("--commission-min", type=amount, default=amount("1"), help="dollars per order")
    add(
        "--arrivals",
        choices=("touch", "next-bar"),
        default="touch",
        help="what arrives between bars: trades at the touch, or waits for the next bar",
    )
    add(
        "--participation",
        type=percent,
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
    from tradingd.simbroker.process import serve

    if options.detach:
        return detached(options.state / "simbroker.log", lambda up: serve(options, up))
    return serve(options, lambda: None)


def amount(text: str) -> int:
    """Read dollars of the command line, 1e-9 dollars."""
    try:
        value = parse(text, "amount")
    except BadRequest as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if value < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return value


def half_spread(text: str) -> int:
    """Read basis points of the command line, in units of 1e-4 of one."""
    units, rest = divmod(amount(text), 100_000)
    if rest or units > 50_000_000:
        raise argparse.ArgumentTypeError("0 to 5000 basis points with at most four decimals")
    return units


def percent(text: str) -> Decimal:
    """Read a percentage of the command line."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"not a number: {text!r}") from None
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError("0 to 100")
    return value


if __name__ == "__main__":
    sys.exit(main())
