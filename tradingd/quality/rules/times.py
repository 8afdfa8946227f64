"""Rows at times they should not have."""

from typing import Final

_HOUR: Final = 3_600_000_000_000

# New York trades from 04:00 to 20:00: 5.5 hours before the open to 10.5 hours after it; a minute
# more, because what prints at 20:00:00 lands in a bar that closes at 20:01.
_FROM: Final = f"opens - {11 * _HOUR // 2}"
_TO: Final = f"opens + {21 * _HOUR // 2 + _HOUR // 60}"
_TRADING_HOURS: Final = f"ts > {_FROM} and ts <= {_TO}"

# A day outside the calendar's years cannot be judged.
_KNOWN_DAY: Final = (
    "day between (select min(day) from sessions) and (select max(day) from sessions)"
)


def duplicates() -> str:
    """Find bars of one symbol that share their time."""
    return """
        select symbol, ts, format('{} bars at one time', count(*)) as detail
        from checked group by symbol, ts having count(*) > 1
    """


def daily_out_of_session() -> str:
    """Find daily bars that are not stamped at the close of a session."""
    return f"""
        select symbol, ts,
               if(closes is null, 'no session on that day', 'not the close of its session')
                   as detail
        from checked left join sessions using (day)
        where {_KNOWN_DAY} and ts is distinct from closes
    """


def out_of_session() -> str:
    """Find days with rows while the exchange was closed, or outside 04:00 to 20:00."""
    return f"""
        select symbol, min(ts) as ts,
               format('{{}} rows while the exchange was closed', count(*)) as detail
        from checked left join sessions using (day)
        where {_KNOWN_DAY} and (opens is null or not ({_TRADING_HOURS}))
        group by symbol, day
    """


def extended_hours() -> str:
    """Find days with bars before the open or after the close, in trading hours."""
    return f"""
        select symbol, min(ts) as ts,
               format('{{}} bars outside regular hours', count(*)) as detail
        from checked join sessions using (day)
        where not regular and {_TRADING_HOURS}
        group by symbol, day
    """
