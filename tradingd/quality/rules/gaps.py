"""Holes in time: whole sessions, and minutes of a session."""

from typing import Final

_MINUTE: Final = 60_000_000_000


def missing_sessions() -> str:
    """Find runs of sessions without a bar between a symbol's first and last one."""
    return """
        with present as (
            select distinct symbol, number from checked join sessions using (day)
        ), steps as (
            select symbol, number,
                   lead(number) over (partition by symbol order by number) as following
            from present
        )
        select symbol, closes as ts,
               format('{} sessions without bars', following - steps.number - 1) as detail
        from steps join sessions on sessions.number = steps.number + 1
        where following > steps.number + 1
    """


def missing_minutes(liquid_percent: float, least: int) -> str:
    """Find runs of missing minute bars in sessions where nearly every minute has one."""
    return f"""
        with liquid as (
            select symbol, day, opens, closes
            from checked join sessions using (day)
            where regular
            group by all
            having count(distinct ts) * 100.0 * {_MINUTE} >= {liquid_percent} * (closes - opens)
        ), points as (
            select symbol, day, ts from checked join liquid using (symbol, day) where regular
            union all select symbol, day, opens from liquid
            union all select symbol, day, closes + {_MINUTE} from liquid
        ), steps as (
            select symbol, ts, lead(ts) over (partition by symbol, day order by ts) as following
            from points
        )
        select symbol, ts + {_MINUTE} as ts,
               format('{{}} minutes without bars', (following - ts) // {_MINUTE} - 1) as detail
        from steps
        where (following - ts) // {_MINUTE} - 1 >= {least}
    """
