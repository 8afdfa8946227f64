"""Keys of different groups that cannot stand together are refused; near misses are not."""

import pytest

from tradingd.config.load import load
from tradingd.config.strategy import members
from tradingd.kits.failure import ExitCode, Failure

LIVE = ("mode=live", "mode.account=U1234567")


@pytest.mark.parametrize(
    ("overrides", "keys", "next_step"),
    [
        (LIVE, ("mode.kind", "broker.kind"), "broker=alpaca, or mode=paper"),
        ((*LIVE, "broker=ibkr"), ("mode.kind", "broker.port"), "broker.port=4001"),
        (
            (*LIVE, "broker=ibkr", "broker.port=7497"),
            ("mode.kind", "broker.port"),
            "broker.port=7496",
        ),
        (("broker=ibkr", "broker.port=4001"), ("mode.kind", "broker.port"), "broker.port=4002"),
        (("broker=ibkr", "broker.port=7496"), ("mode.kind", "broker.port"), "broker.port=7497"),
        (
            ("broker.account=cash", "strategy.allow_short=true"),
            ("broker.account", "strategy.allow_short"),
            "strategy.allow_short=false",
        ),
        (
            ("broker.account=cash", "strategy=intraday_mean_reversion"),
            ("broker.account", "strategy.allow_short"),
            "strategy.allow_short=false",
        ),
        (
            ("broker.account=cash", "strategy=buy_and_hold", "strategy.short=true"),
            ("broker.account", "strategy.short"),
            "strategy.short=false",
        ),
        (
            ("broker.account=cash", "risk.margin_regime=legacy_pdt"),
            ("broker.account", "risk.margin_regime"),
            "risk.margin_regime=auto",
        ),
        (
            ("strategy=intraday_mean_reversion", "strategy.bars=1d"),
            ("strategy.kind", "strategy.bars"),
            "strategy.bars=1m, or strategy=swing_trend",
        ),
        (
            ("risk.no_trade_open_minutes=385",),  # 385 + 5 before the close = 390: none is left
            ("risk.no_trade_open_minutes", "risk.no_trade_close_minutes"),
            "",
        ),
        (
            ("strategy=intraday_mean_reversion", "strategy.flatten_minutes=385"),
            ("risk.no_trade_open_minutes", "strategy.flatten_minutes"),
            "",
        ),
    ],
    ids=[
        "live without a broker",
        "live on the gateway's paper port",
        "live on the paper port of tws",
        "paper on the gateway's live port",
        "paper on the live port of tws",
        "cash account and a swing short",
        "cash account and an intraday short",
        "cash account held short",
        "cash account under a margin rule",
        "intraday strategy on daily bars",
        "windows that swallow the session",
        "flattening before the first entry",
    ],
)
def test_the_contradiction_is_refused(
    overrides: tuple[str, ...], keys: tuple[str, ...], next_step: str
) -> None:
    with pytest.raises(Failure) as refused:
        load(overrides)
    assert refused.value.code is ExitCode.CONFIG
    assert all(key in refused.value.where for key in keys)
    assert refused.value.next_step == next_step


@pytest.mark.parametrize(
    "overrides",
    [
        (*LIVE, "broker=alpaca"),
        (*LIVE, "broker=ibkr", "broker.port=4001"),
        (*LIVE, "broker=ibkr", "broker.port=7496"),
        ("broker=ibkr",),
        ("broker=ibkr", "broker.port=9999"),
        ("mode=backtest", "broker=ibkr", "broker.port=4001"),
        ("broker.account=cash",),
        ("broker.account=cash", "strategy=buy_and_hold", "risk.margin_regime=cash"),
        ("strategy.allow_short=true",),
        ("risk.margin_regime=legacy_pdt",),
        ("strategy=intraday_mean_reversion", "strategy.bars=1h"),
        ("risk.no_trade_open_minutes=384",),
        ("strategy=intraday_mean_reversion", "strategy.flatten_minutes=384"),
    ],
    ids=" ".join,
)
def test_what_only_resembles_a_contradiction_passes(overrides: tuple[str, ...]) -> None:
    load(overrides)


@pytest.mark.parametrize(
    ("override", "keys"),
    [
        ("strategy.fast=50", ("strategy.fast", "strategy.slow")),
        ("strategy.slow=20", ("strategy.fast", "strategy.slow")),
    ],
)
def test_keys_of_one_group_that_contradict_each_other_are_both_named(
    override: str, keys: tuple[str, ...]
) -> None:
    with pytest.raises(Failure) as refused:
        load([override])
    assert all(key in refused.value.where for key in keys)
    assert f"command line: {override.partition('=')[0]}" in refused.value.where
    assert "swing_trend.yaml (default)" in refused.value.where


def test_a_literal_secret_among_a_custom_strategys_parameters_is_refused_and_hidden() -> None:
    custom = ("strategy=custom", "strategy.path=a.b:C")
    load([*custom, "strategy.params.api_key='env:MY_KEY'"])
    with pytest.raises(Failure) as refused:
        load([*custom, "strategy.params.api_key=hunter2"])
    assert "hunter2" not in refused.value.line()


def test_several_strategies_share_their_bars_and_each_kind_is_there_once() -> None:
    both = load(("strategy=both",)).config.strategy
    assert [one.__struct_config__.tag for one in members(both)] == [
        "intraday_mean_reversion",
        "swing_trend",
    ]
    with pytest.raises(Failure, match=r"members\.trend trades on 1d bars"):
        load(("strategy=both", "strategy.members.trend.bars=1d"))
    with pytest.raises(Failure, match=r"swing_trend is among the members twice"):
        load(("strategy=both", "+strategy.members.other={kind: swing_trend, bars: 1m}"))
    with pytest.raises(Failure) as refused:
        load(("strategy=both", "mode=backtest"))
    assert "a backtest runs one strategy" in refused.value.line()


def test_a_member_that_sells_short_is_refused_for_a_cash_account() -> None:
    with pytest.raises(Failure) as refused:
        load(("strategy=both", "broker.account=cash"))
    assert "strategy.members.mean_reversion.allow_short" in str(refused.value.where)
