"""The screen: every clause a symbol must pass, each with its value and bound."""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from tradingd.config.universe import Screen, TieredUniverse
from tradingd.universe.facts import Facts


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One condition; `passed` None: nothing is known, so nothing is held against the symbol."""

    name: str
    value: str
    bound: str
    passed: bool | None


class _Answer(NamedTuple):
    value: str
    bound: str
    passed: bool | None


def judge(facts: Facts, config: TieredUniverse) -> tuple[Clause, ...]:
    """Evaluate every clause of the screen."""
    return tuple(
        Clause(name=name, value=answer.value, bound=answer.bound, passed=answer.passed)
        for name, clause in _CLAUSES.items()
        if (answer := clause(facts, config.screen, config)) is not None
    )


def failed(clauses: tuple[Clause, ...]) -> tuple[str, ...]:
    """Return the names of the clauses that were not passed."""
    return tuple(one.name for one in clauses if one.passed is False)


def _excluded(facts: Facts, _screen: Screen, config: TieredUniverse) -> _Answer:
    there = facts.symbol in config.exclude
    return _Answer("named" if there else "not named", "not in universe.exclude", not there)


def _member(facts: Facts, _screen: Screen, _config: TieredUniverse) -> _Answer | None:
    if facts.member is None:
        return None
    value = "a member" if facts.member else "not a member"
    return _Answer(value, "a member of the index that day", facts.member)


def _listed(facts: Facts, _screen: Screen, _config: TieredUniverse) -> _Answer:
    value = "delisted" if facts.delisted else "listed"
    return _Answer(value, "listed", not facts.delisted)


def _recent(facts: Facts, screen: Screen, config: TieredUniverse) -> _Answer:
    return _Answer(
        f"{facts.traded_percent:.4g} % of {config.window} sessions",
        f">= {screen.min_traded_percent:g} %",
        facts.traded_percent >= screen.min_traded_percent,
    )


def _history(facts: Facts, screen: Screen, _config: TieredUniverse) -> _Answer:
    passed = facts.history >= screen.min_history
    return _Answer(f"{facts.history} sessions", f">= {screen.min_history}", passed)


def _price(facts: Facts, screen: Screen, _config: TieredUniverse) -> _Answer:
    bound = f"{screen.min_price:g} .. {screen.max_price:g} USD"
    if facts.price is None:
        return _Answer("no close", bound, False)
    passed = screen.min_price <= facts.price <= screen.max_price
    return _Answer(f"{facts.price:.2f} USD", bound, passed)


def _dollar_volume(facts: Facts, screen: Screen, _config: TieredUniverse) -> _Answer:
    return _Answer(
        f"{facts.dollar_volume:,.0f} USD a day",
        f">= {screen.min_dollar_volume:,.0f} USD",
        facts.dollar_volume >= screen.min_dollar_volume,
    )


def _volume(facts: Facts, screen: Screen, _config: TieredUniverse) -> _Answer | None:
    if not screen.min_volume:
        return None
    passed = facts.volume >= screen.min_volume
    return _Answer(f"{facts.volume:,.0f} shares a day", f">= {screen.min_volume:,}", passed)


def _spread(facts: Facts, screen: Screen, _config: TieredUniverse) -> _Answer:
    bound = f"< {screen.max_spread_bps:g} bps"
    if facts.spread_bps is None:
        return _Answer("not known", bound, None)
    how = "quotes" if facts.spread_source == "quotes" else f"estimated, {facts.spread_source}"
    return _Answer(
        f"{facts.spread_bps:.1f} bps ({how})", bound, facts.spread_bps < screen.max_spread_bps
    )


def _volatility(facts: Facts, screen: Screen, _config: TieredUniverse) -> _Answer | None:
    if not screen.max_volatility_percent:
        return None
    bound = f"<= {screen.max_volatility_percent:g} % a year"
    if facts.volatility_percent is None:
        return _Answer("not known", bound, None)
    passed = facts.volatility_percent <= screen.max_volatility_percent
    return _Answer(f"{facts.volatility_percent:.1f} %", bound, passed)


def _market_cap(facts: Facts, screen: Screen, _config: TieredUniverse) -> _Answer:
    bound = f"> {screen.min_market_cap:,.0f} USD"
    if facts.market_cap is None:
        return _Answer("not known", bound, None)
    passed = facts.market_cap > screen.min_market_cap
    return _Answer(f"{facts.market_cap:,.0f} USD", bound, passed)


def _earnings(facts: Facts, screen: Screen, _config: TieredUniverse) -> _Answer | None:
    if screen.earnings_sessions < 0:
        return None
    bound = f"more than {screen.earnings_sessions} sessions from an announcement"
    if facts.earnings_sessions is None:
        return _Answer("none on file", bound, None)
    passed = abs(facts.earnings_sessions) > screen.earnings_sessions
    return _Answer(f"{facts.earnings_sessions:+d} sessions, {facts.earnings}", bound, passed)


def _shortable(facts: Facts, screen: Screen, _config: TieredUniverse) -> _Answer | None:
    if not screen.shortable:
        return None
    bound = "shares on the latest borrow list"
    if facts.borrowable is None:
        return _Answer("on no borrow list", bound, False)
    return _Answer(f"{facts.borrowable:,} shares", bound, facts.borrowable > 0)


type _Test = Callable[[Facts, Screen, TieredUniverse], _Answer | None]

_CLAUSES: Final[dict[str, _Test]] = {
    "excluded": _excluded,
    "membership": _member,
    "listed": _listed,
    "traded": _recent,
    "history": _history,
    "price": _price,
    "dollar_volume": _dollar_volume,
    "volume": _volume,
    "spread": _spread,
    "volatility": _volatility,
    "market_cap": _market_cap,
    "earnings": _earnings,
    "shortable": _shortable,
}

NAMES: Final = tuple(_CLAUSES)
