"""Which orders make sense, whatever the account holds: a table of rules, each with its words."""

from collections.abc import Callable
from typing import Final, NamedTuple

from tradingd.simalpaca.trading.errors import ApiError, bad_field, invalid
from tradingd.simalpaca.trading.wishes import Wish
from tradingd.simbroker.amounts import CENT, ONE, PRICE_STEP, text

_AUCTIONS: Final = ("opg", "cls")
_AT_ONCE: Final = ("ioc", "fok")
_PLAIN: Final = ("market", "limit")
_LASTING: Final = ("day", "gtc")
_MOST_SHARES: Final = 10_000_000 * ONE


class Rule(NamedTuple):
    """Broken when `broken` holds; then the request is refused with what `refusal` makes."""

    broken: Callable[[Wish], bool]
    refusal: Callable[[Wish], ApiError]


def _says(message: str) -> Callable[[Wish], ApiError]:
    return lambda wish: invalid(message.format(**wish._asdict()))


def _lacks(message: str) -> Callable[[Wish], ApiError]:
    return lambda wish: bad_field(message.format(**wish._asdict()))


_SIZE: Final = (
    Rule(lambda w: w.qty is None and w.notional is None, _lacks("qty or notional is required")),
    Rule(
        lambda w: w.qty is not None and w.notional is not None,
        _lacks("only one of qty or notional is accepted"),
    ),
    Rule(
        lambda w: _fractional(w) and w.time_in_force != "day",
        _says("fractional orders must be DAY orders"),
    ),
    Rule(
        lambda w: w.notional is not None and w.type != "market",
        _says("notional orders must be market orders"),
    ),
    Rule(
        lambda w: _fractional(w) and w.order_class != "simple",
        _says("fractional orders must be simple orders"),
    ),
    Rule(lambda w: (w.qty or 0) > _MOST_SHARES, _says("qty exceeds the largest order")),
)

_PRICES: Final = (
    Rule(
        lambda w: _needs_limit(w) and w.limit is None, _lacks("{type} orders require limit price")
    ),
    Rule(
        lambda w: w.type in ("stop", "stop_limit") and w.stop is None,
        _lacks("{type} orders require stop price"),
    ),
    Rule(
        lambda w: w.limit is not None and w.type not in ("limit", "stop_limit"),
        _lacks("{type} orders must not have limit_price"),
    ),
    Rule(
        lambda w: w.stop is not None and w.type not in ("stop", "stop_limit"),
        _lacks("{type} orders must not have stop_price"),
    ),
    Rule(
        lambda w: (
            w.type == "trailing_stop" and (w.trail_price is None) == (w.trail_percent is None)
        ),
        _lacks("trailing_stop orders require one of trail_price and trail_percent"),
    ),
    Rule(
        lambda w: w.type != "trailing_stop" and (w.trail_price or w.trail_percent) is not None,
        _lacks("{type} orders must not have trail_price or trail_percent"),
    ),
    Rule(
        lambda w: (w.trail_percent or 0) >= 100 * ONE,
        _says("trail_percent must be less than 100"),
    ),
)

_TIMES: Final = (
    Rule(
        lambda w: w.extended and (w.type != "limit" or w.time_in_force not in _LASTING),
        _says("extended hours order must be DAY or GTC limit orders"),
    ),
    Rule(
        lambda w: w.time_in_force in (*_AUCTIONS, *_AT_ONCE) and w.type not in _PLAIN,
        _says("invalid time_in_force {time_in_force} for {type} order"),
    ),
    Rule(
        lambda w: w.type == "trailing_stop" and w.time_in_force not in _LASTING,
        _says("trailing stop orders must be DAY or GTC"),
    ),
)

_TIES: Final = (
    Rule(
        lambda w: w.order_class == "simple" and (w.has_target or w.has_loss),
        _says("take_profit and stop_loss need an order class: bracket, oco or oto"),
    ),
    Rule(
        lambda w: w.order_class != "simple" and w.time_in_force not in _LASTING,
        _says("{order_class} orders must be DAY or GTC"),
    ),
    Rule(
        lambda w: w.order_class != "simple" and w.extended,
        _says("{order_class} orders must not be extended hours"),
    ),
    Rule(
        lambda w: w.order_class in ("bracket", "oto") and w.type not in _PLAIN,
        _says("{order_class} entry orders must be market or limit orders"),
    ),
    Rule(
        lambda w: w.order_class == "oco" and w.type != "limit",
        _says("oco orders must be limit orders"),
    ),
    Rule(
        lambda w: w.order_class in ("bracket", "oco") and w.target is None and not _oco_limit(w),
        _lacks("{order_class} orders require take_profit.limit_price"),
    ),
    Rule(
        lambda w: w.order_class in ("bracket", "oco") and w.loss_stop is None,
        _lacks("{order_class} orders require stop_loss.stop_price"),
    ),
    Rule(
        lambda w: w.order_class == "oto" and (w.target is None) == (w.loss_stop is None),
        _lacks("oto orders require one of take_profit.limit_price and stop_loss.stop_price"),
    ),
)


def check(wish: Wish) -> None:
    """Refuse an order that makes no sense.

    Raises
    ------
    ApiError
        For the first rule it breaks.
    """
    for rule in (*_SIZE, *_PRICES, *_TIMES, *_TIES):
        if rule.broken(wish):
            raise rule.refusal(wish)
    _check_steps(wish)


def _check_steps(wish: Wish) -> None:
    for name, price in (
        ("limit_price", wish.limit),
        ("stop_price", wish.stop),
        ("take_profit.limit_price", wish.target),
        ("stop_loss.stop_price", wish.loss_stop),
        ("stop_loss.limit_price", wish.loss_limit),
    ):
        check_step(name, price)


def check_step(name: str, price: int | None) -> None:
    """Refuse a price finer than the exchange's step: a cent, below one dollar 0.0001."""
    if price is not None and price % (CENT if price >= ONE else PRICE_STEP):
        raise invalid(
            f"invalid {name} {text(price)}. "
            "sub-penny increment does not fulfill minimum pricing criteria"
        )


def check_exits(wish: Wish, exit_side: str, base: int | None) -> None:
    """Refuse exits on the wrong side of each other or of the base price (1e-9; None: unknown)."""
    target = wish.target if wish.order_class != "oco" else (wish.target or wish.limit)
    stop = wish.loss_stop
    sells = exit_side == "sell"
    if stop is None:
        return
    if target is not None and (target <= stop if sells else target >= stop):
        words = "higher" if sells else "lower"
        raise invalid(f"take_profit.limit_price must be {words} than stop_loss.stop_price")
    bases = [price for price in (base, target) if price is not None]
    for price in bases:
        if stop > price - CENT if sells else stop < price + CENT:
            sign, relation = ("-", "<=") if sells else ("+", ">=")
            raise invalid(
                f"stop_loss.stop_price must be {relation} base_price {sign} 0.01",
            )


def _fractional(wish: Wish) -> bool:
    return wish.notional is not None or bool(wish.qty and wish.qty % ONE)


def _needs_limit(wish: Wish) -> bool:
    return wish.type in ("limit", "stop_limit") and wish.order_class != "oco"


def _oco_limit(wish: Wish) -> bool:
    return wish.order_class == "oco" and wish.limit is not None
