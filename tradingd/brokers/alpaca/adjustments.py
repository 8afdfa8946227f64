"""Account activities that are no trades -> adjustments. Pure, and tolerant of types not known.

======================================  ===============  =========================================
activity                                kind             what it changes
======================================  ===============  =========================================
DIV DIVCGL DIVCGS DIVROC DIVTXEX ...    ``dividend``     cash; `qty` only tells for how many shares
CGD, DIV/SDIV (in shares)               ``dividend``     cash, or shares
SPLIT (FSPLIT RSPLIT USPLIT)            ``split``        shares, prices of orders by the ratio
SPIN                                    ``spin-off``     shares
FEE CFEE PTC DIVFEE                     ``fee``          cash: regulatory fees of trades, too
INT INTNRA INTTW                        ``interest``     cash
CSD CSW TRANS ACATC JNLC JNL            ``transfer``     cash
ACATS JNLS FOPT                         ``transfer``     shares
MA NC REO REORG OPASN OPEXC ...         ``corporate``    shares and cash
anything else                           its type, lower  cash, and shares if a quantity is told
                                        case             outside of the dividends
======================================  ===============  =========================================

Alpaca books a split as shares out and shares in: two activities of one group or of one symbol and
day are told as one adjustment with the ratio. One that comes alone has it in its description
(``4:1``), or is told as ``corporate``: without the ratio nobody can restate a stop. Activities that
Alpaca marks as canceled are left out; the account's cash is what the reconciliation takes in the
end.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from tradingd.brokers.alpaca import parsing, times
from tradingd.brokers.alpaca.parsing import Body
from tradingd.domain.broker_reports import AdjustmentUpdate

TRADES: Final = frozenset({"FILL", "OPTRD"})

_KINDS: Final = {
    **dict.fromkeys(("SPLIT",), "split"),
    **dict.fromkeys(("SPIN",), "spin-off"),
    **dict.fromkeys(("FEE", "CFEE", "PTC", "PTR", "DIVFEE"), "fee"),
    **dict.fromkeys(("INT", "INTNRA", "INTTW"), "interest"),
    **dict.fromkeys(
        ("CSD", "CSW", "TRANS", "ACATC", "ACATS", "JNL", "JNLC", "JNLS", "FOPT"), "transfer"
    ),
    **dict.fromkeys(
        ("MA", "NC", "REO", "REORG", "OPASN", "OPCA", "OPCSH", "OPEXC", "OPEXP"), "corporate"
    ),
    "CGD": "dividend",
}

_STOCK_DIVIDEND: Final = "SDIV"
_SMALL: Final = 100
_WORDS: Final = re.compile(r"\b(\d+) ?(?::|for) ?(\d+)\b")


def adjustments(bodies: Iterable[Body]) -> list[AdjustmentUpdate]:
    """Return the adjustments of activities, in their order."""
    found: list[AdjustmentUpdate] = []
    splits: dict[tuple[str, str], list[Body]] = {}
    for body in bodies:
        kind = parsing.text(body, "activity_type")
        if kind in TRADES or parsing.text(body, "status") == "canceled":
            continue
        if kind == "SPLIT":
            splits.setdefault(_event(body), []).append(body)
        else:
            found.append(_one(body, kind))
    found += [_split(parts) for parts in splits.values()]
    return sorted(found, key=lambda one: one.ts)


def _one(body: Body, kind: str) -> AdjustmentUpdate:
    return AdjustmentUpdate(
        adjustment_id=_id(body),
        kind=_kind(kind),
        symbol=parsing.text(body, "symbol"),
        shares=_shares(body, kind),
        cash=parsing.price(body, "net_amount") or 0,
        ts=_ts(body),
    )


def _split(parts: Sequence[Body]) -> AdjustmentUpdate:
    """Return one split, told in one part or in two (shares out, shares in)."""
    quantities = [parsing.amount(part, "qty") or Decimal(0) for part in parts]
    out = -sum(quantity for quantity in quantities if quantity < 0)
    into = sum(quantity for quantity in quantities if quantity > 0)
    first = parts[0]
    up, down = _ratio(into, out) if into and out else _described(first)
    return AdjustmentUpdate(
        adjustment_id=_id(first),
        kind="split" if up != down else "corporate",
        symbol=parsing.text(first, "symbol"),
        shares=int(sum(quantities, Decimal(0))),
        cash=sum(parsing.price(part, "net_amount") or 0 for part in parts),
        numerator=up,
        denominator=down,
        ts=max(_ts(part) for part in parts),
    )


def _ratio(into: Decimal | int, out: Decimal | int) -> tuple[int, int]:
    """Return new shares for old ones; small numbers, because what is left over came as cash."""
    exact = Fraction(into) / Fraction(out)
    near = exact.limit_denominator(_SMALL)
    # 1,033 old shares 1:8 are 129 new ones and cash for an eighth: the ratio is 1/8, not 129/1033.
    best = near if abs(near - exact) * Fraction(out) < 1 else exact
    return best.numerator, best.denominator


def _described(body: Body) -> tuple[int, int]:
    found = _WORDS.search(parsing.text(body, "description"))
    return (int(found[1]), int(found[2])) if found and int(found[2]) else (1, 1)


def _kind(kind: str) -> str:
    if kind in _KINDS:
        return _KINDS[kind]
    return "dividend" if kind.startswith("DIV") else kind.lower() or "unknown"


def _shares(body: Body, kind: str) -> int:
    """Return the change of the position; that of a dividend in cash tells what it was paid for."""
    quantity = parsing.amount(body, "qty")
    if quantity is None:
        return 0
    pays = _kind(kind) in ("dividend", "fee", "interest")
    stock = parsing.text(body, "activity_sub_type") == _STOCK_DIVIDEND
    if pays and not (stock and not parsing.amount(body, "net_amount")):
        return 0
    return int(quantity)


def _id(body: Body) -> str:
    return parsing.text(body, "id") or f"{parsing.text(body, 'activity_type')}:{_event(body)}"


def _event(body: Body) -> tuple[str, str]:
    """Return what the parts of one event have in common."""
    group = parsing.text(body, "group_id")
    return (group, "") if group else (parsing.text(body, "symbol"), parsing.text(body, "date"))


def _ts(body: Body) -> int:
    return times.ns(body.get("created_at")) or times.ns(body.get("date"))
