"""What a starting daemon knows from its journal."""

import msgspec

from tradingd.domain.journal import BookRow, FillRow, GuardRow, OrderRow, RunRow, StateRow


class Recalled(msgspec.Struct, frozen=True, kw_only=True):
    """The journal's content that a restart needs; empty for a new instance.

    `open_orders` are those without a final state, `recent_orders` final ones of the last days (a
    late fill may still come). `book` is the last snapshot and `fills_after_book` what came later,
    in journal order. `positions` is the sum of all fills and adjustments. `next_seq` is higher
    than any number in an order id of this instance.
    """

    open_orders: tuple[OrderRow, ...] = ()
    recent_orders: tuple[OrderRow, ...] = ()
    guards: tuple[GuardRow, ...] = ()
    states: tuple[StateRow, ...] = ()
    book: BookRow | None = None
    fills_after_book: tuple[FillRow, ...] = ()
    fill_ids: frozenset[str] = frozenset()
    adjustment_ids: frozenset[str] = frozenset()
    last_fill_ts: int = 0
    positions: dict[str, int] = {}
    owners: dict[str, str] = {}
    marks: dict[str, str] = {}
    runs: int = 0
    last_run: RunRow | None = None
    next_seq: int = 1
