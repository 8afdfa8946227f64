"""Where a rule begins to speak."""

from typing import Annotated

import msgspec
from msgspec import Meta

from tradingd.domain.market import Resolution


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """Defaults chosen on S&P 500 daily bars 2013-2016 and LEAN minute bars."""

    liquid_percent: Annotated[
        float, Meta(description="Minutes of a session with bars from which it should be whole.")
    ] = 80.0
    missing_minutes: Annotated[
        int, Meta(ge=1, description="Minutes in a row without a bar that are a gap.")
    ] = 3
    outlier_deviations: Annotated[
        float, Meta(description="Robust standard deviations (1.4826 x MAD) of a bar's return.")
    ] = 12.0
    outlier_daily_percent: Annotated[
        float, Meta(description="Smallest return of a daily bar that can be an outlier.")
    ] = 15.0
    outlier_intraday_percent: Annotated[float, Meta(description="The same for shorter bars.")] = 3.0
    split_tolerance_percent: Annotated[
        float, Meta(description="How near to a split's ratio an overnight jump must be.")
    ] = 2.0
    split_volume_days: Annotated[
        int, Meta(ge=2, description="Sessions on each side whose median volumes are compared.")
    ] = 10
    stale_daily_bars: Annotated[
        int, Meta(ge=2, description="Daily bars in a row with the same close.")
    ] = 6
    stale_intraday_minutes: Annotated[
        int, Meta(ge=2, description="The same for shorter bars, as minutes of bars.")
    ] = 60

    def outlier_return(self, resolution: Resolution) -> float:
        """Return the smallest outlying return as a fraction."""
        daily = resolution is Resolution.DAY
        return (self.outlier_daily_percent if daily else self.outlier_intraday_percent) / 100

    def stale_bars(self, resolution: Resolution) -> int:
        """Return the shortest run of equal closes that is stale, in bars."""
        if resolution is Resolution.DAY:
            return self.stale_daily_bars
        nanoseconds = self.stale_intraday_minutes * Resolution.MINUTE.nanoseconds
        return max(6, nanoseconds // resolution.nanoseconds)
