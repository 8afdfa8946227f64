"""`python -m tradingd.simalpaca --state DIR`: run the Alpaca-compatible test server."""

import argparse
import datetime as dt
import sys
from decimal import Decimal
from pathlib import Path

from tradingd.simbroker.__main__ import amount, half_spread, percent
from tradingd.simbroker.detach import detached


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tradingd.simalpaca", description=__doc__)
    _add_server(parser.add_argument_group("server"))
    _add_book(parser.add_argument_group("book"))
    _add_replay(parser.add_argument_group("replay of stored bars"))
    return parser


def _add_server(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--state", type=Path, required=True, help="folder of simbroker.sqlite and endpoint.json")
    add("--socket", type=Path, help="Unix socket of the admin; DIR/simbroker.sock")
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=_port, default=0, help="0: the folder's last port, or any that is free")
    add("--requests-per-minute", type=_whole, default=200, help="rate limit; 0: none")
    add("--idle-exit", type=float, default=0.0, help="seconds without a client; 0: never")
    add("--detach", action="store_true", help="return when it serves, run on behind")


def _add_book(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--account", help="number of the account (a new store keeps it); PA3SIM000001")
    add("--live-like", action="store_true", help="a live account's number and text frames")
    add("--cash", type=amount, default=amount("100000"), help="cash of a new account, dollars")
    add("--half-spread-bps", type=half_spread, default=half_spread("1"))
    add("--participation", type=percent, default=Decimal(0), help="percent of a bar; 0: all")
    add("--arrivals", choices=("touch", "next-bar"), default="touch")
    add(
        "--hours",
        choices=("regular", "any"),
        default="regular",
        help="when the book trades; any: whenever there is a price",
    )


def _add_replay(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--store", type=Path, help="folder of a history store")
    add("--bars", choices=("1m", "1d"), default="1m")
    add("--symbols", type=_symbols, default=(), help="A,B; all that the store has")
    add("--start", type=_date, help="first New York day")
    add("--end", type=_date, help="last New York day")
    add("--speed", type=_speed, default=60.0, help="data seconds a second; 0: as fast as it goes")
    add("--wait-for-client", action="store_true", help="begin with the first subscription")


def main() -> int:
    """Run until stopped, or, detached, until it serves."""
    parser = arguments()
    options = parser.parse_args()
    if options.start is not None and options.end is not None and options.end < options.start:
        parser.error("--end is before --start")
    if options.store is not None and not options.store.is_dir():
        parser.error(f"--store: no folder {options.store}")
    try:
        options.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        parser.error(f"--state: {error}")
    options.socket = options.socket or options.state / "simbroker.sock"
    from tradingd.simalpaca.process import serve

    if options.detach:
        return detached(options.state / "simalpaca.log", lambda up: serve(options, up))
    return serve(options, lambda: None)


def _port(text: str) -> int:
    number = _whole(text)
    if number > 65_535:
        raise argparse.ArgumentTypeError("0 to 65535")
    return number


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"not a whole number from 0: {text!r}")
    return int(text)


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a date like 2024-03-15: {text!r}") from None


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a number: {text!r}") from None
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError("must not be negative")
    return value


def _symbols(text: str) -> tuple[str, ...]:
    return tuple(symbol.strip().upper() for symbol in text.split(",") if symbol.strip())


if __name__ == "__main__":
    sys.exit(main())
