"""Keys, hosts and accounts that contradict the mode stop the start."""

from typing import Literal

import msgspec
import pytest

from tradingd.brokers.alpaca.accounts import check_account, check_endpoint
from tradingd.domain.broker_reports import BrokerAccount
from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.alpaca.hosts import LIVE, PAPER
from tradingd.vendors.alpaca.keys import Keys

SECRET = "s3cr3t-that-nobody-may-read"
PAPER_KEYS = Keys("PKTESTTESTTEST", SECRET)
LIVE_KEYS = Keys("AKTESTTESTTEST", SECRET)
OTHER_KEYS = Keys("CKTESTTESTTEST", SECRET)
HERE = "http://127.0.0.1:8080"

type Mode = Literal["paper", "live"]

CONTRADICTIONS: dict[str, tuple[Mode, str, Keys, str]] = {
    "paper keys on the live host": ("live", LIVE, PAPER_KEYS, "paper keys"),
    "paper keys on the live host in paper": ("paper", LIVE, PAPER_KEYS, "paper keys"),
    "live keys on the paper host": ("paper", PAPER, LIVE_KEYS, "live keys"),
    "live keys on the paper host in live": ("live", PAPER, LIVE_KEYS, "live keys"),
    "paper on the live host": ("paper", LIVE, LIVE_KEYS, "The mode is paper"),
    "live on the paper host": ("live", PAPER, PAPER_KEYS, "The mode is live"),
    "live on the paper host, other keys": ("live", PAPER, OTHER_KEYS, "The mode is live"),
    "not encrypted": ("paper", PAPER.replace("https", "http"), PAPER_KEYS, "not encrypted"),
    "not encrypted elsewhere": ("paper", "http://10.0.0.7:80", PAPER_KEYS, "not encrypted"),
    "somebody else": ("paper", "https://paper-api.alpaca.markets.evil.net", PAPER_KEYS, "not Alp"),
    "another port": ("paper", f"{PAPER}:8443", PAPER_KEYS, "not Alpaca's"),
    "with a path": ("paper", f"{PAPER}/v2", PAPER_KEYS, "not Alpaca's"),
    "no address": ("paper", "paper", PAPER_KEYS, "not a web address"),
    "another scheme": ("paper", "ftp://127.0.0.1", PAPER_KEYS, "not a web address"),
    "with a password": ("paper", "https://a:b@127.0.0.1", PAPER_KEYS, "more than an address"),
    "no key": ("paper", PAPER, Keys("", SECRET), "broker.key_id is no key"),
    "no secret": ("paper", PAPER, Keys("PKTEST", ""), "broker.secret_key is no key"),
    "line end in the secret": ("paper", PAPER, Keys("PKTEST", SECRET + "\n"), "secret_key is no"),
}


@pytest.mark.parametrize(
    ("mode", "rest", "keys", "words"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys()
)
def test_a_contradiction_stops_the_start(mode: Mode, rest: str, keys: Keys, words: str) -> None:
    with pytest.raises(Failure, match=words) as caught:
        check_endpoint(mode=mode, rest=rest, keys=keys)
    assert caught.value.code is ExitCode.CONFIG
    assert SECRET not in str(caught.value)
    assert not keys.key_id or keys.key_id not in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "rest", "keys"),
    [
        ("paper", PAPER, PAPER_KEYS),
        ("live", LIVE, LIVE_KEYS),
        ("paper", PAPER, OTHER_KEYS),
        ("paper", HERE, PAPER_KEYS),
        ("live", HERE, PAPER_KEYS),
        ("live", "http://localhost:1", LIVE_KEYS),
        ("paper", "http://[::1]:1", LIVE_KEYS),
    ],
)
def test_what_belongs_together_passes_and_a_server_here_in_both_modes(
    mode: Mode, rest: str, keys: Keys
) -> None:
    check_endpoint(mode=mode, rest=rest, keys=keys)


ACCOUNT = BrokerAccount(account_id="PA3SIM000001", cash=0, equity=0)
LIVE_ACCOUNT = msgspec.structs.replace(ACCOUNT, account_id="123456789")

OTHERS: dict[str, tuple[Mode, BrokerAccount, str, str]] = {
    "live account in paper": ("paper", LIVE_ACCOUNT, "", "a live account"),
    "paper account in live": ("live", ACCOUNT, "", "a paper account"),
    "another account": ("live", LIVE_ACCOUNT, "987654321", "another account"),
}


@pytest.mark.parametrize(("mode", "account", "wanted", "words"), OTHERS.values(), ids=OTHERS.keys())
def test_an_account_that_is_not_meant_stops_the_start_for_good(
    mode: Mode, account: BrokerAccount, wanted: str, words: str
) -> None:
    with pytest.raises(Failure, match=words) as caught:
        check_account(mode=mode, account=account, wanted=wanted)
    assert caught.value.code is ExitCode.CONFIG


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (msgspec.structs.replace(ACCOUNT, blocked="trading blocked"), "may not trade"),
        (msgspec.structs.replace(ACCOUNT, account_id=""), "does not say"),
    ],
    ids=["blocked", "no number"],
)
def test_an_account_that_alpaca_may_mend_stops_the_start_until_the_next_try(
    account: BrokerAccount, words: str
) -> None:
    with pytest.raises(Failure, match=words) as caught:
        check_account(mode="paper", account=account)
    assert caught.value.code is ExitCode.BROKER


def test_the_account_that_is_meant_passes() -> None:
    check_account(mode="paper", account=ACCOUNT)
    check_account(mode="live", account=LIVE_ACCOUNT, wanted="123456789")
