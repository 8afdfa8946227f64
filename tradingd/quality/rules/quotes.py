"""Bids against asks, in regular hours (outside them crossed quotes are common)."""


def crossed() -> str:
    """Find days with quotes whose bid is above the ask."""
    return _per_day("bid > ask", "crossed")


def locked() -> str:
    """Find days with quotes whose bid equals the ask."""
    return _per_day("bid = ask", "locked")


def _per_day(condition: str, word: str) -> str:
    return f"""
        select symbol, min(ts) as ts,
               format('{{}} {word} quotes, the first {{}} x {{}}',
                      count(*), arg_min(bid, ts), arg_min(ask, ts)) as detail
        from checked where {condition} and regular group by symbol, day
    """
