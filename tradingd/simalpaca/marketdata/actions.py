"""Corporate actions as Alpaca lists them: by type, sorted by the day they are processed."""

import base64
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Final, NamedTuple

from tradingd.simalpaca.marketdata import query
from tradingd.simalpaca.marketdata.amounts import number
from tradingd.simalpaca.marketdata.errors import ApiError
from tradingd.simalpaca.marketdata.query import Params
from tradingd.simalpaca.marketdata.store import StoredAction
from tradingd.simalpaca.marketdata.view import Json

# market-data-api.json, parameter `types`; the store has five of them.
TYPES: Final = (
    "reverse_split",
    "forward_split",
    "unit_split",
    "cash_dividend",
    "stock_dividend",
    "spin_off",
    "cash_merger",
    "stock_merger",
    "stock_and_cash_merger",
    "redemption",
    "name_change",
    "worthless_removal",
    "rights_distribution",
    "partial_call",
    "reorganization",
    "capital_gains_distribution",
)
_FILTERS: Final = ("symbols", "cusips", "types", "start", "end", "region", "data_quality")
_NAMES: Final = uuid.UUID("5a1c9a0c-7f4e-4b1d-9a63-0d6f6f3b2a11")
_MOST: Final = 1_000


class ActionsQuery(NamedTuple):
    """A request for corporate actions; an empty filter lets all pass."""

    symbols: frozenset[str]
    types: frozenset[str]
    ids: frozenset[str]
    start: dt.date
    end: dt.date
    limit: int
    offset: int
    newest: bool


def read(params: Params, today: dt.date) -> ActionsQuery:
    """Read the parameters of a request; the range defaults to today."""
    ids = _listed(params, "ids")
    if ids and any(name in params for name in _FILTERS):
        raise ApiError(400, "ids cannot be combined with other filters")
    types = _listed(params, "types")
    for name in types - frozenset(TYPES):
        raise ApiError(400, f"invalid type: {name}")
    query.one_of(params, "region", ("us", "non_us", "all"), "us")
    query.one_of(params, "data_quality", ("complete", "all"), "complete")
    start, end = query.day(params, "start", today), query.day(params, "end", today)
    if start > end and "end" in params:
        raise ApiError(400, "end should not be before start")
    return ActionsQuery(
        symbols=frozenset(query.symbol(name) for name in _listed(params, "symbols")),
        types=types,
        ids=ids,
        start=dt.date.min if ids else start,
        end=dt.date.max if ids else end,
        limit=query.whole(params, "limit", 100, _MOST),
        offset=_offset(params.get("page_token", "")),
        newest=query.one_of(params, "sort", ("asc", "desc"), "asc") == "desc",
    )


def answer(wanted: ActionsQuery, actions: Sequence[StoredAction]) -> Json:
    """Return the answer: the actions that fit, by the plural of their type."""
    chosen = [one for one in actions if _fits(wanted, one)]
    if wanted.newest:
        chosen.reverse()
    part = chosen[wanted.offset : wanted.offset + wanted.limit]
    grouped: dict[str, list[Json]] = {}
    for one in part:
        grouped.setdefault(f"{kind(one)}s", []).append(_object(one))
    reached = wanted.offset + len(part)
    return {
        "corporate_actions": grouped,
        "next_page_token": _token(reached) if reached < len(chosen) else None,
    }


def kind(one: StoredAction) -> str:
    """Return Alpaca's type of an action."""
    if one.kind == "split":
        return "forward_split" if one.numerator >= one.denominator else "reverse_split"
    return {"dividend": "cash_dividend", "rename": "name_change"}.get(one.kind, "worthless_removal")


def _fits(wanted: ActionsQuery, one: StoredAction) -> bool:
    return (
        wanted.start <= one.ex_date <= wanted.end
        and (not wanted.symbols or bool({one.symbol, one.old_symbol} & wanted.symbols))
        and (not wanted.types or kind(one) in wanted.types)
        and (not wanted.ids or _id(one) in wanted.ids)
    )


def _object(one: StoredAction) -> Json:
    """CUSIPs are not in the store and stay empty."""
    base: Json = {"id": _id(one), "process_date": one.ex_date.isoformat()}
    dated: Json = {**base, "symbol": one.symbol, "ex_date": one.ex_date.isoformat()}
    rates: Json = {"new_rate": one.numerator, "old_rate": one.denominator}
    match kind(one):
        case "forward_split":
            return {**dated, **rates, "cusip": ""}
        case "reverse_split":
            return {**dated, **rates, "old_cusip": "", "new_cusip": ""}
        case "cash_dividend":
            paid = {"rate": number(one.amount), "special": False, "foreign": False}
            return {**dated, **paid, "cusip": ""}
        case "name_change":
            names = {"old_symbol": one.old_symbol, "new_symbol": one.symbol}
            return {**base, **names, "old_cusip": "", "new_cusip": ""}
        case _:
            return {**base, "symbol": one.symbol, "cusip": ""}


def _id(one: StoredAction) -> str:
    return str(uuid.uuid5(_NAMES, f"{one.symbol}|{one.ex_date}|{one.kind}|{one.old_symbol}"))


def _listed(params: Params, name: str) -> frozenset[str]:
    return frozenset(part for part in params.get(name, "").split(",") if part)


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"actions|{offset}".encode()).decode()


def _offset(token: str) -> int:
    if not token:
        return 0
    try:
        word, offset = base64.urlsafe_b64decode(token).decode().split("|")
        if word != "actions" or not 0 <= int(offset) < 10**9:
            raise ValueError(token)
        return int(offset)
    except ValueError as error:
        raise ApiError(400, "invalid page_token") from error
