"""Alpaca's corporate actions to the domain's: splits, dividends, renames, delistings."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.vendors.alpaca.data import Page
from tradingd.vendors.alpaca.values import Unreadable, price

SOURCE: Final = "alpaca"

LATE_DAYS: Final = 120
"""Days after its ex-date within which Alpaca processes an action; it is found by that date."""


def actions_of(
    pages: Iterable[Page], *, first: dt.date, last: dt.date
) -> tuple[list[CorporateAction], Counter[str]]:
    """Return the actions with an ex-date in a range, sorted, and what was left out by reason.

    Dividends of one day are added up, splits of one day multiplied: the store keeps one of each
    a day. Spin-offs, rights and units are not known to the domain and are counted only.
    """
    left_out: Counter[str] = Counter()
    found: dict[tuple[str, dt.date, ActionKind, str], CorporateAction] = {}
    seen: set[str] = set()
    for kind, row in _rows(pages):
        identity = str(row.get("id", ""))
        if identity and identity in seen:
            continue
        seen.add(identity)
        convert = _CONVERT.get(kind)
        if convert is None:
            left_out[kind] += 1
            continue
        try:
            action = convert(row)
        except (Unreadable, KeyError, ValueError, ZeroDivisionError):
            left_out[f"unreadable {kind}"] += 1
            continue
        if action is None or not first <= action.ex_date <= last:
            continue
        key = (action.symbol, action.ex_date, action.kind, action.old_symbol)
        found[key] = _joined(found[key], action) if key in found else action
    order = lambda one: (one.ex_date, one.symbol, one.kind)  # noqa: E731
    return sorted(found.values(), key=order), left_out


def _rows(pages: Iterable[Page]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for page in pages:
        for kind, rows in page.items():
            for row in rows:
                yield kind, row


def _joined(one: CorporateAction, other: CorporateAction) -> CorporateAction:
    ratio = Fraction(one.numerator, one.denominator) * Fraction(other.numerator, other.denominator)
    return CorporateAction(
        symbol=one.symbol,
        ex_date=one.ex_date,
        kind=one.kind,
        numerator=ratio.numerator,
        denominator=ratio.denominator,
        amount=one.amount + other.amount,
        old_symbol=one.old_symbol,
        source=SOURCE,
    )


def _dividend(row: Mapping[str, Any]) -> CorporateAction | None:
    if row.get("currency") not in (None, "", "USD"):
        raise Unreadable("not in dollars")
    amount = price(row["rate"])
    if amount <= 0:
        raise Unreadable("no amount")
    return CorporateAction(
        symbol=row["symbol"],
        ex_date=_day(row["ex_date"]),
        kind=ActionKind.DIVIDEND,
        amount=amount,
        source=SOURCE,
    )


def _split(row: Mapping[str, Any]) -> CorporateAction | None:
    return _split_of(row, _ratio(row["new_rate"]) / _ratio(row["old_rate"]))


def _stock_dividend(row: Mapping[str, Any]) -> CorporateAction | None:
    return _split_of(row, 1 + _ratio(row["rate"]))


def _split_of(row: Mapping[str, Any], ratio: Fraction) -> CorporateAction:
    if ratio <= 0 or ratio == 1:
        raise Unreadable("no split")
    return CorporateAction(
        symbol=row["symbol"],
        ex_date=_day(row["ex_date"]),
        kind=ActionKind.SPLIT,
        numerator=ratio.numerator,
        denominator=ratio.denominator,
        source=SOURCE,
    )


def _rename(row: Mapping[str, Any]) -> CorporateAction | None:
    # A change of the CUSIP alone keeps the letters.
    if row["old_symbol"] == row["new_symbol"]:
        return None
    return CorporateAction(
        symbol=row["new_symbol"],
        ex_date=_day(row["process_date"]),
        kind=ActionKind.RENAME,
        old_symbol=row["old_symbol"],
        source=SOURCE,
    )


def _bought(row: Mapping[str, Any]) -> CorporateAction | None:
    return _end_of(row["acquiree_symbol"], row["effective_date"])


def _worthless(row: Mapping[str, Any]) -> CorporateAction | None:
    return _end_of(row["symbol"], row["process_date"])


def _end_of(symbol: str, day: str) -> CorporateAction:
    return CorporateAction(
        symbol=symbol, ex_date=_day(day), kind=ActionKind.DELISTING, source=SOURCE
    )


_CONVERT: Final[Mapping[str, Callable[[Mapping[str, Any]], CorporateAction | None]]] = {
    "cash_dividends": _dividend,
    "capital_gains_distributions": _dividend,
    "forward_splits": _split,
    "reverse_splits": _split,
    "stock_dividends": _stock_dividend,
    "name_changes": _rename,
    "cash_mergers": _bought,
    "stock_mergers": _bought,
    "stock_and_cash_mergers": _bought,
    "worthless_removals": _worthless,
}


def _ratio(value: object) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise Unreadable(f"{value!r} is no rate")
    return Fraction(value)


def _day(value: object) -> dt.date:
    if not isinstance(value, str):
        raise Unreadable(f"{value!r} is no day")
    return dt.date.fromisoformat(value)
