"""A session is refused when its orders and its prices are not of one world."""

import pytest

from tradingd.config.load import load
from tradingd.config.session_rules import demand_session
from tradingd.kits.failure import ExitCode, Failure

LOCAL = "http://127.0.0.1:8080"
ALPACA = ("broker=alpaca", "feed=alpaca")
LIVE = (*ALPACA, "mode=live", "mode.account='123456789'")


@pytest.mark.parametrize(
    ("overrides", "keys"),
    [
        (("broker=alpaca",), ("broker.kind", "feed.kind")),
        (("broker=ibkr",), ("broker.kind",)),
        ((*ALPACA, "feed.data=test"), ("broker.kind", "feed.data")),
        ((*LIVE, "feed.data=delayed_sip"), ("broker.kind", "feed.data")),
        ((*ALPACA, f"feed.endpoint={LOCAL}"), ("broker.kind", "feed.endpoint")),
        ((*ALPACA, "feed.clock=data"), ("feed.clock", "feed.endpoint")),
        (("feed=alpaca", "feed.clock=data"), ("feed.clock", "feed.endpoint")),
        (
            ("feed=alpaca", "feed.clock=data", "feed.endpoint=https://data.alpaca.markets"),
            ("feed.clock", "feed.endpoint"),
        ),
    ],
)
def test_orders_and_prices_of_different_worlds_are_refused(
    overrides: tuple[str, ...], keys: tuple[str, ...]
) -> None:
    config = load(overrides).config
    with pytest.raises(Failure) as refused:
        demand_session(config)
    assert refused.value.code is ExitCode.CONFIG
    assert all(key in str(refused.value.where) for key in keys)


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ALPACA,
        LIVE,
        ("feed=alpaca",),
        ("feed=alpaca", "feed.data=test"),
        ("broker=alpaca", f"broker.endpoint={LOCAL}"),
        (*ALPACA, f"broker.endpoint={LOCAL}", f"feed.endpoint={LOCAL}", "feed.clock=data"),
        ("feed=alpaca", f"feed.endpoint={LOCAL}", "feed.clock=data"),
    ],
)
def test_what_belongs_together_may_trade(overrides: tuple[str, ...]) -> None:
    demand_session(load(overrides).config)
