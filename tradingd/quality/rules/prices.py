"""Prices that cannot be, and bars in which nothing happened."""

from typing import Final

_POSITIVE: Final = "least(open, high, low, close) > 0"


def non_positive() -> str:
    """Find bars with a price of zero or less."""
    return f"""
        select symbol, ts, format('lowest price {{}}', least(open, high, low, close)) as detail
        from checked where not ({_POSITIVE})
    """


def inverted() -> str:
    """Find bars whose high is below, or low above, another of their prices."""
    return f"""
        select symbol, ts,
               format('open {{}} high {{}} low {{}} close {{}}', open, high, low, close) as detail
        from checked
        where {_POSITIVE} and (high < greatest(open, low, close) or low > least(open, close))
    """


def zero_volume() -> str:
    """Find days with regular bars in which no share traded."""
    return """
        select symbol, min(ts) as ts, format('{} bars without volume', count(*)) as detail
        from checked where volume = 0 and regular group by symbol, day
    """


def stale(least: int) -> str:
    """Find runs of bars with one and the same close."""
    return f"""
        with changes as (
            select symbol, ts, close,
                   close is distinct from lag(close) over (partition by symbol order by ts)
                       as changed
            from checked where regular
        ), runs as (
            select symbol, ts, close,
                   count(*) filter (changed) over (partition by symbol order by ts) as run
            from changes
        )
        select symbol, min(ts) as ts,
               format('{{}} bars in a row closed at {{}}', count(*), any_value(close)) as detail
        from runs group by symbol, run having count(*) >= {least}
    """
