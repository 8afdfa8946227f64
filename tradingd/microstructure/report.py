"""All measures of one source in one pass over its books."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, Protocol

import msgspec
import numpy as np

from tradingd.level2.book import BookChunk, BookSource, TradeChunk
from tradingd.microstructure.ahead import ahead
from tradingd.microstructure.cost import CostResult, Costs
from tradingd.microstructure.counts import Counts, CountsResult
from tradingd.microstructure.definitions import DEFINITIONS
from tradingd.microstructure.depth import Depth, DepthResult
from tradingd.microstructure.halfhours import HalfHours
from tradingd.microstructure.impact import Impact, ImpactResult
from tradingd.microstructure.kyle import Kyle, KyleResult
from tradingd.microstructure.microprice import Microprice, MicropriceResult
from tradingd.microstructure.ofi import FlowResult
from tradingd.microstructure.profile import Profile, ProfileResult
from tradingd.microstructure.queue import Queue, QueueResult
from tradingd.microstructure.resilience import Resilience, ResilienceResult
from tradingd.microstructure.spread import Spread, SpreadResult
from tradingd.microstructure.thin import Points, thin
from tradingd.microstructure.touch import Touch, TouchPath
from tradingd.microstructure.vpin import Vpin, VpinResult

SCHEMA_VERSION: Final = "1.0.0"
"""Of the report's layout, which is published in `contracts/`."""
HORIZONS_S: Final = (1, 10, 60)
NO_TRADES: Final = "the source has no trades"
CHUNK_ROWS: Final = 100_000

logger = logging.getLogger(__name__)


class Measure(Protocol):
    """What every measure here is: fed in time order, asked at the end (or at any time)."""

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states and the trades among them."""
        ...


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was analysed. `facts` is what the file says of itself.

    `every_change`: each state of the book was seen; else snapshots every `interval_ns`.
    """

    label: str
    symbol: str
    day: str
    levels: int
    levels_used: int
    every_change: bool
    interval_ns: int
    has_trades: bool
    facts: dict[str, Any]


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """Series over the day, by second, thinned; x in Unix seconds.

    `mid`: last mid of the second, dollars; `ofi`: order-flow imbalance of the best level added up
    since the start, shares; `touch`: best prices, weighted mid and sizes.
    """

    mid: Points
    ofi: Points
    touch: TouchPath = TouchPath()


class DepthReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything measured on one source; `definitions` says in words how."""

    schema_version: Literal["1.0.0"] = SCHEMA_VERSION
    source: SourceFacts
    horizons_s: tuple[int, ...]
    definitions: dict[str, str]
    counts: CountsResult
    paths: Paths
    flow: FlowResult
    impact: ImpactResult
    queue: QueueResult
    microprice: MicropriceResult
    spread: SpreadResult
    depth: DepthResult
    resilience: ResilienceResult
    profile: ProfileResult
    vpin: VpinResult
    kyle: KyleResult
    cost: CostResult


def analyse(
    source: BookSource,
    *,
    horizons_s: Sequence[int] = HORIZONS_S,
    levels: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> DepthReport:
    """Measure a source in one pass; memory does not grow with its length.

    Parameters
    ----------
    source : BookSource
        Read once, 100,000 states at a time, one chunk ahead on a thread of its own.
    horizons_s : sequence of int
        Interval lengths of the regressions, whole seconds, at least 1.
    levels : int, optional
        Levels to use at most; all of the source when None.
    progress : callable, optional
        Told after each chunk how many states were read so far.

    Raises
    ------
    ValueError
        A horizon or a number of levels below 1.
    Failure
        What the source raises: damaged files, invalid rows.
    """
    if (levels is not None and levels < 1) or any(horizon < 1 for horizon in horizons_s):
        raise ValueError("levels and horizons are 1 at least")
    used = min(source.levels, levels or source.levels)
    hours = HalfHours(source.day)
    impact = Impact(used, horizons_s, hours, has_trades=source.has_trades)
    measures: dict[str, Measure] = {
        "counts": (counts := Counts()),
        "impact": impact,
        "queue": (queue := Queue()),
        "microprice": (microprice := Microprice()),
        "spread": (spread := Spread(hours)),
        "depth": (depth := Depth(used, hours)),
        "touch": (touch := Touch(used)),
    }
    resilience, profile, vpin = Resilience(), Profile(hours), Vpin()
    kyle, cost = Kyle(hours), Costs(hours)
    if source.has_trades:
        measures |= {"resilience": resilience, "profile": profile, "vpin": vpin}
        measures |= {"kyle": kyle, "cost": cost}
    _feed(source, measures, progress)
    traded = source.has_trades
    return DepthReport(
        source=_facts(source, used),
        horizons_s=tuple(horizons_s),
        definitions=DEFINITIONS,
        counts=counts.result(),
        paths=_paths(impact, touch),
        flow=impact.flow.result(),
        impact=impact.result(),
        queue=queue.result(),
        microprice=microprice.result(),
        spread=spread.result(),
        depth=depth.result(),
        resilience=resilience.result() if traded else ResilienceResult(reason=NO_TRADES),
        profile=profile.result() if traded else ProfileResult(reason=NO_TRADES),
        vpin=vpin.result() if traded else VpinResult(reason=NO_TRADES),
        kyle=kyle.result() if traded else KyleResult(reason=NO_TRADES),
        cost=cost.result() if traded else CostResult(reason=NO_TRADES),
    )


def _feed(
    source: BookSource, measures: Mapping[str, Measure], progress: Callable[[int], None] | None
) -> None:
    spent = dict.fromkeys(measures, 0.0)
    rows = 0
    for book, trades in ahead(source.chunks(CHUNK_ROWS)):
        for name, measure in measures.items():
            began = time.perf_counter()
            measure.feed(book, trades)
            spent[name] += time.perf_counter() - began
        rows += book.rows
        if progress is not None:
            progress(rows)
    for name, seconds in spent.items():
        logger.debug("%s took %.3f s for %d states", name, seconds, rows)


def _facts(source: BookSource, used: int) -> SourceFacts:
    facts = msgspec.json.decode(msgspec.json.encode(source.facts(), enc_hook=str))
    return SourceFacts(
        label=source.label,
        symbol=source.symbol,
        day=source.day.isoformat(),
        levels=source.levels,
        levels_used=used,
        every_change=source.every_change,
        interval_ns=source.interval_ns,
        has_trades=source.has_trades,
        facts=facts,
    )


def _paths(impact: Impact, touch: Touch) -> Paths:
    seconds, mids = impact.mids.seconds()
    when, shares, _ = impact.flow.seconds()
    return Paths(
        mid=thin(seconds, mids / 20_000),
        ofi=thin(when, np.cumsum(shares[:, 0])),
        touch=touch.result(),
    )
