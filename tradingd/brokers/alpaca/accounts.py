"""Keys, host and account must belong to the mode: every contradiction stops the start.

Alpaca's key ids begin with ``PK`` for paper and ``AK`` for live accounts, account numbers of paper
accounts with ``PA``. A test server on this machine may stand in for either host.
"""

from typing import Final, Literal
from urllib.parse import urlsplit

from tradingd.domain.broker_reports import BrokerAccount
from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.alpaca.hosts import LIVE, PAPER, local
from tradingd.vendors.alpaca.keys import Keys, demand_form

type Mode = Literal["paper", "live"]

_PAPER_KEY: Final = "PK"
_LIVE_KEY: Final = "AK"
_PAPER_ACCOUNT: Final = "PA"
_WHERE: Final = "GET /v2/account"

_HOSTS: Final[dict[Mode, str]] = {"paper": PAPER, "live": LIVE}


def check_endpoint(*, mode: Mode, rest: str, keys: Keys) -> None:
    """Check, before anything is sent, that keys and host are those of the mode.

    Raises
    ------
    Failure
        CONFIG, naming what contradicts what; a key itself is never shown.
    """
    demand_form(keys, "broker")
    here = local(rest)
    parts = urlsplit(rest)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _config("broker.endpoint is not a web address", rest, _HOSTS[mode])
    if parts.username or parts.password or parts.query:
        raise _config("broker.endpoint holds more than an address", parts.hostname, _HOSTS[mode])
    if parts.scheme == "http" and not here:
        raise _config("broker.endpoint is not encrypted", rest, "https:// outside this machine")
    if here:
        return
    host = f"https://{parts.hostname}"
    if host not in _HOSTS.values() or (parts.port or 443) != 443 or parts.path not in ("", "/"):
        raise _config("broker.endpoint is not Alpaca's", rest, f"{_HOSTS[mode]}, or this machine")
    _check_kind(mode, host, keys.key_id[:2])


def check_account(*, mode: Mode, account: BrokerAccount, wanted: str = "") -> None:
    """Check that the account that answered is one for the mode, the one meant, and may trade.

    Raises
    ------
    Failure
        Naming both sides. CONFIG for another account or kind of account than meant: no next try
        mends that; BROKER for one that may not trade or says no number: Alpaca may change that.
    """
    number = account.account_id
    paper = number.startswith(_PAPER_ACCOUNT)
    if not number:
        raise _broker(
            "Alpaca does not say which account this is",
            "an account number",
            "none",
            next_step="start again; the unit does so by itself",
        )
    if mode == "paper" and not paper:
        raise _other(
            "This is a live account, and the mode is paper", "an account number PA...", number
        )
    if mode == "live" and paper:
        raise _other(
            "This is a paper account, and the mode is live", "an account number not PA...", number
        )
    if wanted and number != wanted:
        raise _other("This is another account than mode.account", wanted, number)
    if account.blocked:
        raise _broker(
            "The account may not trade",
            "an account that is not blocked",
            account.blocked,
            next_step="see the account at Alpaca: its settings suspend, its support unblocks",
        )


def _check_kind(mode: Mode, host: str, kind: str) -> None:
    if kind == _PAPER_KEY and host == LIVE:
        raise _config("These are paper keys, and the host is the live one", host, PAPER)
    if kind == _LIVE_KEY and host == PAPER:
        raise _config("These are live keys, and the host is the paper one", host, LIVE)
    if host != _HOSTS[mode]:
        raise _config(f"The mode is {mode}, and the host is not", host, _HOSTS[mode])


def _config(what: str, found: str, expected: str) -> Failure:
    return Failure(
        what,
        code=ExitCode.CONFIG,
        where="broker.endpoint",
        expected=expected,
        found=found,
        next_step="leave broker.endpoint empty for the host of the mode, and use that mode's keys",
    )


def _other(what: str, expected: str, found: str) -> Failure:
    return Failure(
        what,
        code=ExitCode.CONFIG,
        where=_WHERE,
        expected=expected,
        found=found,
        next_step="use the keys of the account that is meant, or change the mode",
    )


def _broker(what: str, expected: str, found: str, *, next_step: str) -> Failure:
    return Failure(
        what,
        code=ExitCode.BROKER,
        where=_WHERE,
        expected=expected,
        found=found,
        next_step=next_step,
    )
