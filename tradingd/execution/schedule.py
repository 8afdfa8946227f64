"""How an order is cut into parts in time (TWAP); whole shares, whole nanoseconds."""


def slices(quantity: int, parts: int) -> list[int]:
    """Return the shares of each part: as even as whole shares are, the larger ones first.

    Fewer parts than asked where there are fewer shares.

    Raises
    ------
    ValueError
        When there is nothing to cut, or nothing to cut it into.
    """
    if quantity < 1 or parts < 1:
        raise ValueError(f"cannot cut {quantity} shares into {parts} parts")
    parts = min(parts, quantity)
    share, rest = divmod(quantity, parts)
    return [share + 1] * rest + [share] * (parts - rest)


def targets(quantity: int, parts: int) -> list[int]:
    """Return how many shares are to be filled by the end of each part; the last takes the rest."""
    total, found = 0, []
    for share in slices(quantity, parts):
        total += share
        found.append(total)
    return found


def begins(start: int, parts: int, interval: int) -> list[int]:
    """Return when each part begins (UTC ns); the first at once."""
    return [start + part * interval for part in range(parts)]
