"""Orders as clients make them: mostly sensible, around 100 dollars, with some mistakes."""

from typing import Any

from hypothesis import strategies
from hypothesis.strategies import SearchStrategy

LASTING = ("day", "gtc")
EVERY = (*LASTING, "ioc", "fok", "cls")
MISTAKES = {
    "qty": ["0.5", "-1", "x", 10_000_000],
    "limit_price": ["100.001", 0, "nan"],
    "time_in_force": ["opg", "never"],
    "type": ["stop", "trailing_stop", "best"],
    "extended_hours": [True, "yes"],
    "symbol": ["NOSUCHONE", 7],
    "take_profit": [{}, "high", {"limit_price": "100"}],
}


def price() -> SearchStrategy[str]:
    return strategies.integers(80, 120).map(str)


@strategies.composite
def wishes(draw: Any, symbol: str = "SPY") -> dict[str, Any]:
    """Draw the body of a new order."""
    side = draw(strategies.sampled_from(["buy", "buy", "sell"]))
    body: dict[str, Any] = {"symbol": symbol, "side": side, "qty": str(draw(_SHARES))}
    draw(strategies.sampled_from([_plain, _plain, _trailing, _tied]))(draw, body)
    if draw(strategies.integers(0, 7)) == 0:
        name = draw(strategies.sampled_from(sorted(MISTAKES)))
        body[name] = draw(strategies.sampled_from(MISTAKES[name]))
    return body


def _plain(draw: Any, body: dict[str, Any]) -> None:
    kind = draw(strategies.sampled_from(["market", "limit", "stop", "stop_limit"]))
    times = EVERY if kind in ("market", "limit") else LASTING
    body |= {"type": kind, "time_in_force": draw(strategies.sampled_from(times))}
    for name in ("limit", "stop"):
        if name in kind:
            body[f"{name}_price"] = draw(price())


def _trailing(draw: Any, body: dict[str, Any]) -> None:
    name = draw(strategies.sampled_from(["trail_price", "trail_percent"]))
    body |= {"type": "trailing_stop", "time_in_force": "gtc", name: draw(_SHARES)}


def _tied(draw: Any, body: dict[str, Any]) -> None:
    """An entry with exits, or exits, on the sides where they belong."""
    order_class = draw(strategies.sampled_from(["bracket", "oto", "oco"]))
    below, above = str(draw(strategies.integers(60, 79))), str(draw(strategies.integers(121, 140)))
    sells = body["side"] == "sell" if order_class == "oco" else body["side"] == "buy"
    target, stop = (above, below) if sells else (below, above)
    body |= {"order_class": order_class, "type": "market", "time_in_force": "gtc"}
    if order_class == "oco":
        body["type"] = "limit"
    if order_class != "oto":
        body["take_profit"] = {"limit_price": target}
    body["stop_loss"] = {"stop_price": stop}


def changes() -> SearchStrategy[dict[str, Any]]:
    """Draw the body of a replacement."""
    return strategies.fixed_dictionaries(
        {},
        optional={
            "qty": strategies.sampled_from(["1", 9, "1.5"]),
            "limit_price": price(),
            "stop_price": price(),
            "trail": _SHARES.map(str),
            "time_in_force": strategies.sampled_from(EVERY),
        },
    )


_SHARES = strategies.integers(1, 9)
