"""Group `universe`: which symbols a run trades."""

from typing import Annotated

from msgspec import Meta

from tradingd.config.base import Group, Symbol


class SymbolsUniverse(Group, tag_field="kind", tag="symbols", frozen=True, kw_only=True):
    """A fixed list."""

    symbols: Annotated[tuple[Symbol, ...], Meta(min_length=1, description="Tickers in upper case.")]


class StoredUniverse(Group, tag_field="kind", tag="stored", frozen=True, kw_only=True):
    """Every symbol the store has at the strategy's resolution."""

    exclude: Annotated[tuple[Symbol, ...], Meta(description="Tickers to leave out.")] = ()


UniverseConfig = SymbolsUniverse | StoredUniverse
