"""Rank those that passed the screen, and cut the tiers."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from tradingd.config.universe import TieredUniverse
from tradingd.universe.facts import Facts, Row
from tradingd.universe.screen import failed, judge


def tiers(facts: Iterable[Facts], config: TieredUniverse) -> tuple[Row, ...]:
    """Judge every symbol of a day and give it its tier.

    Returns
    -------
    tuple of Row
        The ranked first, by dollar volume, then the rejected by name. Equal volumes are ranked by
        name, so that the same store gives the same tiers.
    """
    judged = [(one, failed(judge(one, config))) for one in facts]
    passed = sorted(
        (one for one, rejected in judged if not rejected),
        key=lambda one: (-one.dollar_volume, one.symbol),
    )
    out = sorted((pair for pair in judged if pair[1]), key=lambda pair: pair[0].symbol)
    return (
        *(_row(one, tier=_tier(rank, config), rank=rank) for rank, one in enumerate(passed, 1)),
        *(_row(one, rejected=rejected) for one, rejected in out),
    )


def _tier(rank: int, config: TieredUniverse) -> Literal["core", "extended", ""]:
    if rank <= config.core_size:
        return "core"
    return "extended" if rank <= config.extended_size else ""


def _row(facts: Facts, **verdict: object) -> Row:
    return msgspec.convert({**msgspec.structs.asdict(facts), **verdict}, Row)
