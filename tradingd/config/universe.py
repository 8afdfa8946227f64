"""Group `universe`: which symbols a run trades."""

from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import BasisPoints, Count, Group, Percent, Positive, Symbol

Dollars = Annotated[float, Meta(ge=0, extra={"unit": "USD"})]


class SymbolsUniverse(Group, tag_field="kind", tag="symbols", frozen=True, kw_only=True):
    """A fixed list."""

    symbols: Annotated[tuple[Symbol, ...], Meta(min_length=1, description="Tickers in upper case.")]


class StoredUniverse(Group, tag_field="kind", tag="stored", frozen=True, kw_only=True):
    """Every symbol the store has at the strategy's resolution."""

    exclude: Annotated[tuple[Symbol, ...], Meta(description="Tickers to leave out.")] = ()


class Screen(Group, frozen=True, kw_only=True):
    """What a symbol must be to enter a tier; judged from the sessions before the day.

    The defaults are the capability list's; volume, history and traded sessions are our own.
    """

    min_price: Annotated[Dollars, Meta(description="Median close, at least.")] = 5.0
    max_price: Annotated[Dollars, Meta(description="Median close, at most.")] = 500.0
    min_dollar_volume: Annotated[
        Dollars, Meta(description="Average daily volume in dollars, at least.")
    ] = 5_000_000.0
    min_volume: Annotated[
        Count, Meta(description="Average daily volume, at least.", extra={"unit": "shares"})
    ] = 0
    max_spread_bps: Annotated[BasisPoints, Meta(description="Spread over the middle, at most.")] = (
        50.0
    )
    min_market_cap: Annotated[
        Dollars,
        Meta(description="Shares outstanding times price, where `universe.shares` knows them."),
    ] = 100_000_000.0
    max_volatility_percent: Annotated[
        Percent, Meta(description="Volatility a year, at most; 0: no such limit.")
    ] = 0.0
    min_history: Annotated[
        Positive,
        Meta(description="Sessions with a bar so far, at least.", extra={"unit": "sessions"}),
    ] = 63
    min_traded_percent: Annotated[
        Percent, Meta(description="Share of the window's sessions with a bar, at least.")
    ] = 90.0
    earnings_sessions: Annotated[
        int,
        Meta(
            ge=-1,
            le=60,
            description="Left out on sessions within this many of an announcement; -1: never.",
            extra={"unit": "sessions"},
        ),
    ] = 2
    shortable: Annotated[
        bool, Meta(description="Only symbols with shares on the latest borrow list.")
    ] = False


class TieredUniverse(Group, tag_field="kind", tag="tiered", frozen=True, kw_only=True):
    """The most traded symbols of each day that pass a screen, from files that were made before."""

    tier: Annotated[
        Literal["core", "extended"],
        Meta(description="core: the most traded; extended: the next ones too."),
    ] = "core"
    core_size: Annotated[Positive, Meta(description="Symbols of the core tier.")] = 200
    extended_size: Annotated[Positive, Meta(description="Symbols of both tiers together.")] = 1_000
    window: Annotated[
        int,
        Meta(
            ge=2,
            le=1_000,
            description="Sessions before the day that volume, price and volatility are taken of.",
            extra={"unit": "sessions"},
        ),
    ] = 21
    spread_window: Annotated[
        int,
        Meta(
            ge=2,
            le=1_000,
            description="Sessions before the day that an estimated spread is taken of.",
            extra={"unit": "sessions"},
        ),
    ] = 63
    spread_estimate: Annotated[
        Literal["corwin_schultz", "abdi_ranaldo", "none"],
        Meta(description="How to estimate the spread from daily bars where no quotes are stored."),
    ] = "corwin_schultz"
    volatility_buckets: Annotated[
        tuple[Percent, ...],
        Meta(description="Rising bounds between buckets of volatility a year."),
    ] = (20.0, 40.0)
    membership: Annotated[
        str,
        Meta(
            description="CSV file symbol,opt-in,opt-out: only members of that index by date; "
            "empty: any symbol."
        ),
    ] = ""
    shares: Annotated[
        str,
        Meta(description="CSV file symbol,date,shares: shares outstanding; empty: not known."),
    ] = ""
    exclude: Annotated[tuple[Symbol, ...], Meta(description="Tickers to leave out.")] = ()
    linger_sessions: Annotated[
        Count,
        Meta(
            description="Sessions a symbol that left keeps its bars in a live session, so that "
            "its position can be closed; entries are denied.",
            extra={"unit": "sessions"},
        ),
    ] = 20
    screen: Screen = Screen()

    def __post_init__(self) -> None:
        if self.extended_size < self.core_size:
            raise ValueError(
                f"universe.extended_size {self.extended_size} is below universe.core_size "
                f"{self.core_size}; it counts both tiers"
            )
        if list(self.volatility_buckets) != sorted(set(self.volatility_buckets)):
            raise ValueError(
                f"universe.volatility_buckets must rise, found {list(self.volatility_buckets)}"
            )
        if self.screen.min_price > self.screen.max_price:
            raise ValueError(
                f"universe.screen.min_price {self.screen.min_price:g} is above "
                f"universe.screen.max_price {self.screen.max_price:g}"
            )


UniverseConfig = SymbolsUniverse | StoredUniverse | TieredUniverse
