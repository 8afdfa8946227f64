"""Returns that are too large: splits that nobody recorded, and outliers.

Returns are taken after the corporate actions on file: (close x growth + amount) / close before.
"""

from fractions import Fraction
from typing import Final

SPLITS: Final = tuple(
    Fraction(text) for text in "3/2 2 5/2 3 4 5 6 7 8 10 12 15 20 25 30 35 40 50 60 100".split()
)
"""New shares for one old share; reverse splits are their inverses."""

_RATIOS: Final = ", ".join(
    f"({float(one)}, '{one.numerator}:{one.denominator}')"
    for split in SPLITS
    for one in (split, 1 / split)
)

# A jump over a longer hole says nothing about one night.
_NIGHTS: Final = 5


def suspected_splits(tolerance_percent: float, volume_days: int, *, volume_agrees: bool) -> str:
    """Find overnight jumps near a split's ratio on days without a split on file.

    `volume_agrees` picks those whose median volume moved against the price by a similar factor
    (between its square root and its 1.5th power); False picks the others.
    """
    wanted = "agrees" if volume_agrees else "not agrees"
    return f"""
        with days as (
            select symbol, day, number, min(ts) as ts, arg_min(open, ts)::double as first,
                   arg_max(close, ts)::double as last, sum(volume)::double as volume
            from checked join sessions using (day) where regular
            group by all
        ), nights as (
            select *,
                   lag(last) over night as before,
                   number - lag(number) over night as nights,
                   median(volume) over (night rows between {volume_days} preceding
                                        and 1 preceding) as volume_before,
                   median(volume) over (night rows between current row
                                        and {volume_days - 1} following) as volume_after
            from days
            window night as (partition by symbol order by number)
        ), jumps as (
            select symbol, ts, before, first, label,
                   volume_before > 0
                   and abs(ln(volume_after / volume_before) - ln(split)) <= abs(ln(split)) / 2
                       as agrees
            from nights, (values {_RATIOS}) as ratios(split, label)
            where before > 0 and first > 0 and last > 0 and nights <= {_NIGHTS}
              and abs(ln(before / first) - ln(split)) <= {tolerance_percent / 100}
              and abs(ln(before / last) - ln(split)) <= abs(ln(split)) / 3
              and not exists (
                  from events
                  where events.symbol = nights.symbol and events.day = nights.day
                    and growth <> 1
              )
        )
        select symbol, ts,
               format('{{}} to {{}} overnight looks like a split of {{}}, volume {{}}',
                      before, first, label,
                      if(coalesce(agrees, false), 'agrees', 'does not say so')) as detail
        from jumps where coalesce({wanted}, {"false" if volume_agrees else "true"})
    """


def outliers(
    deviations: float, least_return: float, *, within_day: bool, tolerance_percent: float
) -> str:
    """Find returns far outside a symbol's own; the way back from one is not a second finding.

    The yardstick is 1.4826 x the median absolute deviation (a robust standard deviation), and
    never less than `least_return`. Jumps near a split's ratio are the other rule's business.
    """
    per = "symbol, day" if within_day else "symbol"
    # Actions take effect overnight: between two bars of one day there is none.
    actions = "(from events limit 0)" if within_day else "events"
    return f"""
        with regular_bars as (
            select symbol, ts, day, close::double as close,
                   coalesce(growth, 1) as growth, coalesce(amount, 0) as amount
            from checked left join {actions} using (symbol, day)
            where regular and close > 0
        ), returns as (
            select symbol, ts, day, growth,
                   ln((close * growth + amount)
                      / lag(close) over (partition by {per} order by ts)) as change
            from regular_bars
        ), usual as (
            select symbol, median(change) as middle, mad(change) as deviation
            from returns group by symbol
        ), far as (
            select symbol, ts, day, growth, change, change - middle as distance,
                   abs(change - middle)
                       > greatest({deviations} * 1.4826 * deviation, {least_return}) as is_far
            from returns join usual using (symbol)
        ), judged as (
            select *,
                   lag(is_far) over (partition by {per} order by ts) as was_far,
                   lag(distance) over (partition by {per} order by ts) as distance_before
            from far
        )
        select symbol, ts, format('return {{:.1f}} %', 100 * (exp(change) - 1)) as detail
        from judged
        where is_far
          and not (coalesce(was_far, false) and distance * distance_before < 0)
          and not exists (
              from (values {_RATIOS}) as ratios(split, label)
              where not {within_day} and growth = 1
                and abs(change + ln(split)) <= {tolerance_percent / 100}
          )
    """
