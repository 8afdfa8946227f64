"""Keys of different groups that cannot stand together.

A struct checks its own fields; what needs two groups is here, one function a rule. A limit that
merely denies orders is no contradiction: the gate counts and explains denials.
"""

import os
from collections.abc import Callable
from typing import Final

import msgspec

from tradingd.config.broker import IbkrBroker, SimulatedBroker
from tradingd.config.mode import BacktestMode, LiveMode, PaperMode
from tradingd.config.model import ModelFile, RegisteredModel
from tradingd.config.overrides import is_secret
from tradingd.config.strategy import (
    BuyAndHold,
    CustomStrategy,
    IntradayMeanReversion,
    ModelSignal,
    OneStrategy,
    SeveralStrategies,
    SwingTrend,
)
from tradingd.config.system import SystemConfig, strategy_name

LIVE_PORTS: Final = {4001: "IB Gateway", 7496: "TWS"}
PAPER_PORTS: Final = {4002: "IB Gateway", 7497: "TWS"}
"""Ports that IB Gateway and TWS listen on unless told otherwise.

Source: Interactive Brokers, TWS API documentation, "TWS Configuration for API Use".
"""

REGULAR_SESSION_MINUTES: Final = 390
"""09:30 to 16:00 New York."""


class Contradiction(msgspec.Struct, frozen=True, kw_only=True):
    """Two or more keys and why they cannot both be as they are."""

    what: str
    keys: tuple[str, ...]
    expected: str = ""
    found: str = ""
    next_step: str = ""


def first_contradiction(config: SystemConfig) -> Contradiction | None:
    """Return the first rule that the configuration breaks, or None."""
    return next((found for rule in _RULES if (found := rule(config))), None)


def _live_needs_a_broker(config: SystemConfig) -> Contradiction | None:
    if not (isinstance(config.mode, LiveMode) and isinstance(config.broker, SimulatedBroker)):
        return None
    return Contradiction(
        what="live trading needs a real broker",
        keys=("mode.kind", "broker.kind"),
        expected="broker=alpaca or broker=ibkr",
        found="broker=simulated",
        next_step="broker=alpaca, or mode=paper",
    )


def _port_fits_the_mode(config: SystemConfig) -> Contradiction | None:
    if not isinstance(config.broker, IbkrBroker):
        return None
    mode, wrong = _mode_and_wrong_ports(config)
    port = config.broker.port
    if port not in wrong:
        return None
    right = {"live": LIVE_PORTS, "paper": PAPER_PORTS}.get(mode, {})
    instead = next((number for number, name in right.items() if name == wrong[port]), None)
    return Contradiction(
        what=f"port {port} of {wrong[port]} is the other kind of account",
        keys=("mode.kind", "broker.port"),
        expected=f"the {mode} port, {instead} by default",
        found=str(port),
        next_step=f"broker.port={instead}",
    )


def _mode_and_wrong_ports(config: SystemConfig) -> tuple[str, dict[int, str]]:
    match config.mode:
        case LiveMode():
            return "live", PAPER_PORTS
        case PaperMode():
            return "paper", LIVE_PORTS
        case _:
            return "backtest", {}


def _cash_accounts_never_short(config: SystemConfig) -> Contradiction | None:
    if config.broker.account != "cash":
        return None
    key = next((key for one in _placed(config) if (key := _shorts(*one))), "")
    if not key:
        return None
    return Contradiction(
        what="a cash account cannot sell short",
        keys=("broker.account", key),
        expected=f"broker.account=margin, or {key}=false",
        found=f"broker.account=cash with {key}=true",
        next_step=f"{key}=false",
    )


def _placed(config: SystemConfig) -> list[tuple[str, OneStrategy]]:
    """Return every strategy with the key it stands under."""
    strategy = config.strategy
    if isinstance(strategy, SeveralStrategies):
        return [(f"strategy.members.{name}", one) for name, one in strategy.members.items()]
    return [("strategy", strategy)]


def _shorts(key: str, strategy: OneStrategy) -> str:
    """Return the key that lets a strategy sell short; empty when it does not."""
    if isinstance(strategy, BuyAndHold) and strategy.short:
        return f"{key}.short"
    shorting = IntradayMeanReversion | SwingTrend | ModelSignal
    if isinstance(strategy, shorting) and strategy.allow_short:
        return f"{key}.allow_short"
    return ""


def _margin_rules_need_margin(config: SystemConfig) -> Contradiction | None:
    regime = config.risk.margin_regime
    if config.broker.account != "cash" or regime not in ("legacy_pdt", "intraday_4210"):
        return None
    return Contradiction(
        what="a margin rule is chosen for a cash account",
        keys=("broker.account", "risk.margin_regime"),
        expected="auto, cash or none",
        found=regime,
        next_step="risk.margin_regime=auto",
    )


def _some_minute_must_be_tradable(config: SystemConfig) -> Contradiction | None:
    risk = config.risk
    keys = ["risk.no_trade_open_minutes", "risk.no_trade_close_minutes"]
    last = risk.no_trade_close_minutes
    for key, strategy in _placed(config):
        if isinstance(strategy, IntradayMeanReversion):
            last = max(last, strategy.flatten_minutes)
            keys.append(f"{key}.flatten_minutes")
    if risk.no_trade_open_minutes + last < REGULAR_SESSION_MINUTES:
        return None
    return Contradiction(
        what="the no-trade windows leave no minute of a session in which to enter",
        keys=tuple(keys),
        expected=f"together below {REGULAR_SESSION_MINUTES} minutes",
        found=f"{risk.no_trade_open_minutes} after the open and {last} before the close",
    )


def _intraday_needs_intraday_bars(config: SystemConfig) -> Contradiction | None:
    for key, strategy in _placed(config):
        if isinstance(strategy, IntradayMeanReversion) and strategy.bars == "1d":
            return Contradiction(
                what="an intraday strategy cannot trade on daily bars",
                keys=(f"{key}.kind", f"{key}.bars"),
                expected="1s, 1m or 1h",
                found="1d",
                next_step=f"{key}.bars=1m, or strategy=swing_trend",
            )
    return None


def _a_backtest_runs_one(config: SystemConfig) -> Contradiction | None:
    several = isinstance(config.strategy, SeveralStrategies)
    if not (several and isinstance(config.mode, BacktestMode)):
        return None
    return Contradiction(
        what="a backtest runs one strategy",
        keys=("mode.kind", "strategy.kind"),
        expected="one strategy, or mode paper or live",
        found=f"several: {strategy_name(config)}",
        next_step="run a backtest of each",
    )


def _parameters_hold_no_secret(config: SystemConfig) -> Contradiction | None:
    prefixes = ("env:", "credential:", "file:")
    for key, strategy in _placed(config):
        params = strategy.params if isinstance(strategy, CustomStrategy) else {}
        for name, value in params.items():
            if is_secret((name,)) and isinstance(value, str) and not value.startswith(prefixes):
                return Contradiction(
                    what=f"{key}.params.{name} looks like a secret and is no reference",
                    keys=(f"{key}.params.{name}",),
                    expected="a reference: env:NAME, credential:NAME or file:PATH",
                    found="a literal value (hidden)",
                )
    return None


def _homes_are_known(config: SystemConfig) -> Contradiction | None:
    stated = {
        "store.root": config.store.root,
        "mode.results": getattr(config.mode, "results", ""),
        "source.path": getattr(config.source, "path", ""),
    }
    for key, text in stated.items():
        if os.path.expanduser(text).startswith("~"):  # noqa: PTH111 - pathlib raises
            return Contradiction(
                what="there is no such user, so no such home folder",
                keys=(key,),
                expected="~/FOLDER, or the whole path",
                found=text,
            )
    return None


def _models_see_the_bars_that_are_traded(config: SystemConfig) -> Contradiction | None:
    if not isinstance(config.model, RegisteredModel | ModelFile):
        return None
    for key, strategy in _placed(config):
        if strategy.use_model is not None and strategy.bars != config.features.bars:
            option = {"1d": "daily", "1m": "minute"}.get(strategy.bars, "OPTION")
            return Contradiction(
                what="features are computed from other bars than the strategy trades on",
                keys=("features.bars", f"{key}.bars"),
                expected=f"features.bars={strategy.bars}",
                found=config.features.bars,
                next_step=f"features={option}",
            )
    return None


_RULES: Final[tuple[Callable[[SystemConfig], Contradiction | None], ...]] = (
    _live_needs_a_broker,
    _port_fits_the_mode,
    _cash_accounts_never_short,
    _margin_rules_need_margin,
    _some_minute_must_be_tradable,
    _intraday_needs_intraday_bars,
    _a_backtest_runs_one,
    _parameters_hold_no_secret,
    _homes_are_known,
    _models_see_the_bars_that_are_traded,
)
