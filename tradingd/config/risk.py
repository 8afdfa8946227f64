"""Group `risk`: the limits of the pre-trade gate. Percentages are of equity unless said."""

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import Count, Group, Minutes, Percent


class RiskConfig(Group, frozen=True, kw_only=True):
    """Limits; every one is always evaluated, profile `open` puts them out of reach.

    The defaults are the capability list's: they are conservative on purpose.
    """

    profile: Annotated[str, Meta(description="Name stamped on the result.")] = "default"
    drawdown_percent: Annotated[
        Percent, Meta(description="Fall from the day's equity high; entries denied at or beyond.")
    ] = 2.0
    daily_loss_percent: Annotated[
        Percent, Meta(description="Fall from the session's starting equity.")
    ] = 2.0
    risk_per_trade_percent: Annotated[
        Percent, Meta(description="Loss between entry and protective stop.")
    ] = 0.4
    open_risk_percent: Annotated[
        Percent, Meta(description="Sum of entry-to-stop losses of all open positions and entries.")
    ] = 4.0
    position_percent: Annotated[Percent, Meta(description="Value of one symbol's position.")] = 5.0
    gross_percent: Annotated[
        Percent, Meta(description="Sum of absolute position values; 50 intraday, 100 swing.")
    ] = 100.0
    short_of_gross_percent: Annotated[
        Percent, Meta(description="Short value as a share of the gross limit's value.")
    ] = 50.0
    max_positions: Annotated[Count, Meta(description="Open positions and working entries.")] = 30
    max_trades_per_day: Annotated[Count, Meta(description="Round trips a session.")] = 100
    loss_streak: Annotated[
        Count, Meta(description="Consecutive losing round trips after which entries pause.")
    ] = 3
    loss_streak_pause_minutes: Annotated[
        Minutes, Meta(description="Length of that pause; 0: until the next session.")
    ] = 0
    collar_percent: Annotated[
        Percent, Meta(description="Distance of a limit or stop price from the last mark.")
    ] = 5.0
    max_mark_age_seconds: Annotated[
        Count,
        Meta(
            description="Age of the last mark beyond which entries are denied; 0: 2.5 bars.",
            extra={"unit": "seconds"},
        ),
    ] = 0
    orders_per_minute: Annotated[Count, Meta(description="Orders sent within a minute.")] = 60
    max_order_value: Annotated[
        int,
        Meta(
            ge=0,
            description="Value of one order in whole USD; 0: no such limit.",
            extra={"unit": "USD"},
        ),
    ] = 0
    no_trade_open_minutes: Annotated[
        Minutes, Meta(description="No entries in the first minutes of a session.")
    ] = 5
    no_trade_close_minutes: Annotated[
        Minutes, Meta(description="No entries in the last minutes of a session.")
    ] = 5
    earnings_blackout_days: Annotated[
        Count,
        Meta(
            description="No entries within this many calendar days of earnings.",
            extra={"unit": "days"},
        ),
    ] = 2
    outside_universe: Annotated[
        Literal["deny", "allow"],
        Meta(
            description="deny: no entries in a symbol on days it is not in the universe's tier; "
            "allow: the tier only chooses which bars are read."
        ),
    ] = "deny"
    require_stop: Annotated[
        bool, Meta(description="Every entry must carry an enforced protective stop.")
    ] = True
    short_availability: Annotated[
        Literal["listed", "assume"],
        Meta(description="listed: shorts need a positive borrow count on file; assume: all lend."),
    ] = "assume"
    margin_regime: Annotated[
        Literal["auto", "legacy_pdt", "intraday_4210", "cash", "none"],
        Meta(description="auto: by account, broker and date (FINRA replaced PDT on 2026-06-04)."),
    ] = "auto"
    intraday_margin_from: Annotated[
        dt.date | None,
        Meta(
            description="margin_regime auto: first day on which the broker applies FINRA's "
            "intraday margin standards in place of the pattern day trader rule; None: as known of "
            "the broker, and both rules at once where it is not known."
        ),
    ] = None
