"""Build a replay from bars that the application hands in."""

from collections.abc import Mapping

from tradingd.config.feed import ReplayFeed as ReplayConfig
from tradingd.domain.market import Resolution
from tradingd.feeds.pace import Pace
from tradingd.feeds.ranges import Bars
from tradingd.feeds.replay import ReplayFeed
from tradingd.feeds.synthetic import FIRST_DAY, LABEL, SyntheticBars
from tradingd.session.calendar import SessionCalendar


def make_feed(
    config: ReplayConfig,
    *,
    resolution: Resolution,
    calendar: SessionCalendar,
    stored: Mapping[str, Bars],
    extended: bool = False,
) -> ReplayFeed:
    """Return the feed; nothing is read before its `open`.

    Parameters
    ----------
    config : ReplayFeed
        Group `feed`.
    resolution : Resolution
        Length of bars the strategies want; a feed with other bars refuses to open.
    calendar : SessionCalendar
        Sessions of the exchange.
    stored : Mapping[str, Bars]
        Bars by `feed.data`: ``store`` and ``sample`` (synthetic ones are made here).
    extended : bool
        Also stream intraday bars outside the regular sessions, where there are any.
    """
    pace = Pace(config.speed, config.longest_wait)
    start, end = config.start, config.end
    synthetic = config.data == "synthetic"
    bars: Bars
    if synthetic:
        start = start or FIRST_DAY
        bars = SyntheticBars(
            symbols=config.symbols,
            days=config.days,
            seed=config.seed,
            calendar=calendar,
            start=start,
            end=end,
        )
    else:
        bars = stored[config.data]
    return ReplayFeed(
        bars,
        label=LABEL if synthetic else f"replay of {config.data}",
        synthetic=synthetic,
        resolution=resolution,
        pace=pace,
        calendar=calendar,
        start=start,
        end=end,
        extended=extended,
    )
