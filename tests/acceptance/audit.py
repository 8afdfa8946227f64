"""An auditor of run folders: a program of its own that recomputes the books with Decimal.

It imports nothing of the product. From the orders, fills and cash rows of a folder, raw prices and
corporate actions it works out cash, positions, equity, round trips, dividends, borrow fees and
splits again and names every row that says otherwise.

    python -m tests.acceptance.audit RUN_FOLDER HISTORY_FOLDER
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from tests.acceptance.audit_facts import (
    Market,
    Run,
    local_day,
    midnight,
    signed,
    stored_market,
    text,
    to_nano,
)

SUMS: Final = ("commission", "slippage")
PARTS: Final = ("fee_broker", "fee_exchange", "fee_regulatory")


class Finding(NamedTuple):
    """One thing that does not add up."""

    check: str
    where: str
    said: object
    expected: object

    def __str__(self) -> str:
        return f"{self.check}: {self.where}: says {self.said}, should be {self.expected}"


def audit(folder: Path, market_of: Callable[[Run], Market]) -> list[Finding]:
    """Return every discrepancy of a run folder."""
    run = Run(folder)
    market = market_of(run)
    return [
        finding
        for check in CHECKS
        for where, said, expected in check(run, market)
        if said != expected
        for finding in [Finding(check.__name__, where, said, expected)]
    ]


type Claims = Iterator[tuple[str, object, object]]
"""(where, what the folder says, what it should say)."""


# -- numbers and references ------------------------------------------------------------------------


def numbering(run: Run, _market: Market) -> Claims:
    """Running numbers have no gap; rows are in time order."""
    for name in ("fills", "positions", "denials", "cash"):
        numbers = [row.seq for row in getattr(run, name)]
        yield f"{name}.seq", numbers, list(range(1, len(numbers) + 1))
    numbers = sorted(order.seq for order in run.orders)
    yield "orders.seq", numbers, list(range(1, len(numbers) + 1))
    for order in run.orders:
        yield f"order {order.seq}", order.order_id, f"O-{order.seq:06d}"
    for name, column in (("fills", "ts"), ("positions", "ts_closed"), ("cash", "ts")):
        times = [getattr(row, column) for row in getattr(run, name)]
        yield f"{name}.{column}", times, sorted(times)
    times = [row.ts for row in run.equity]
    yield "equity.ts", times, sorted(set(times))


def orders(run: Run, _market: Market) -> Claims:
    """An order's state, quantity and average price follow from its fills, and it has a reason."""
    known = {order.order_id: order for order in run.orders}
    for fill in run.fills:
        yield f"fill {fill.seq}", fill.order_id in known, True
    for order in run.orders:
        where, filled = order.order_id, run.fills_of.get(order.order_id, [])
        shares = sum(fill.quantity for fill in filled)
        yield f"{where} reason", bool(order.reason.strip()), True
        yield f"{where} filled_quantity", order.filled_quantity, shares
        yield f"{where} beyond its quantity", shares > order.quantity, False
        yield f"{where} is FILLED", order.status == "FILLED", shares == order.quantity
        paid = sum((fill.quantity * fill.price for fill in filled), Decimal(0))
        average = to_nano(paid / shares) if shares else None
        yield f"{where} average_price", order.average_price, average
        for fill in filled:
            for column in ("symbol", "side", "strategy", "purpose", "reason"):
                yield f"{where} {column}", getattr(fill, column), getattr(order, column)
            inside = order.ts_submitted <= fill.ts <= order.ts_closed
            yield f"{where} lived at fill {fill.seq}", inside, True


def denials(run: Run, _market: Market) -> Claims:
    """A denied order has its limits in both tables and no fill; the gate's counts agree."""
    limits = defaultdict(list)
    for row in run.denials:
        limits[row.order_id].append(row.limit)
    for order in run.orders:
        refused = order.status in ("DENIED", "REJECTED")
        yield f"{order.order_id} denied_by", order.denied_by, ",".join(limits[order.order_id])
        yield f"{order.order_id} is refused", refused, bool(order.denied_by)
        if refused:
            yield f"{order.order_id} fills", len(run.fills_of.get(order.order_id, [])), 0
    counted = Counter(row.limit for row in run.denials if row.limit != "engine")
    for limit, (evaluated, denied) in run.manifest["gate_counts"].items():
        yield f"gate_counts {limit}", denied, counted[limit]
        yield f"gate_counts {limit} evaluated", evaluated >= denied, True


# -- fills -----------------------------------------------------------------------------------------


def fills(run: Run, _market: Market) -> Claims:
    """Positions, commission and slippage of every fill; splits are free."""
    held: Counter[str] = Counter()
    for fill in run.fills:
        where = f"fill {fill.seq}"
        held[fill.symbol] += signed(fill)
        yield f"{where} position_after", fill.position_after, held[fill.symbol]
        yield f"{where} quantity", fill.quantity > 0, True
        parts = sum((getattr(fill, part) for part in PARTS), Decimal(0))
        yield f"{where} commission", fill.commission, parts
        cost = (fill.price - fill.touch_price) * signed(fill)
        yield f"{where} slippage", fill.slippage, cost
        yield f"{where} slippage against the order", cost >= 0, True
        if fill.purpose == "CORPORATE":
            yield f"{where} is free", (fill.price, fill.commission, cost), (0, 0, 0)


def touch_prices(run: Run, market: Market) -> Claims:
    """A fill's price before slippage is one that its bar showed, of the kind its order asks for."""
    order_of = {order.order_id: order for order in run.orders}
    for fill in run.fills:
        if fill.purpose == "CORPORATE" or fill.order_id not in order_of:
            continue
        order, where = order_of[fill.order_id], f"fill {fill.seq} touch_price"
        bar = market.bars(fill.symbol)[market.seen(fill.symbol, fill.ts - 1)]
        if run.config["execution"]["latency_ms"]:
            yield f"{where} within its bar", bar.low <= fill.touch_price <= bar.high, True
        if fill.ts < bar.end and order.limit_price is None:
            yield where, fill.touch_price, bar.open
        elif order.type == "MARKET" or order.ts_submitted == fill.ts:
            # Without latency an order may act before its symbol's bar of that instant is seen.
            seen = market.bars(fill.symbol)[max(0, market.seen(fill.symbol, fill.ts - 1) - 1)]
            prompt = run.config["execution"]["latency_ms"] == 0
            known = seen if prompt and fill.touch_price == seen.close else bar
            yield where, fill.touch_price, known.close
        elif order.type == "STOP_MARKET" and not split_between(market, fill, order):
            worse = max if fill.side == "BUY" else min
            yield where, fill.touch_price, worse(bar.open, order.stop_price)


def split_between(market: Market, fill: Any, order: Any) -> bool:
    """Tell whether a split restated an order's prices, rounded, after one of its fills."""
    return any(
        one.kind == "split"
        and one.symbol == fill.symbol
        and fill.ts < midnight(one.day) <= order.ts_closed
        for one in market.actions
    )


def latency(run: Run, _market: Market) -> Claims:
    """What a strategy sends reaches the venue no sooner than the latency allows."""
    delay = run.config["execution"]["latency_ms"] * 1_000_000
    for order in run.orders:
        if order.purpose in ("ENTRY", "EXIT"):
            for fill in run.fills_of.get(order.order_id, []):
                late = fill.ts - order.ts_submitted >= delay
                yield f"{order.order_id} waits for fill {fill.seq}", late, True


def participation(run: Run, market: Market) -> Claims:
    """All fills of a bar together take no more than their share of its volume."""
    percent = Decimal(str(run.config["execution"]["participation_percent"]))
    taken: Counter[tuple[str, int]] = Counter()
    for fill in run.fills:
        if fill.purpose != "CORPORATE":
            taken[fill.symbol, market.seen(fill.symbol, fill.ts - 1)] += fill.quantity
    for (symbol, number), shares in taken.items():
        bar = market.bars(symbol)[number]
        allowed = not percent or shares <= bar.volume * percent / 100
        yield f"{symbol} {text(bar.end)} takes {shares} of {bar.volume}", allowed, True


# -- the account -----------------------------------------------------------------------------------


def account(run: Run, market: Market) -> Claims:
    """Cash, positions and equity at every sample, from nothing but fills, cash rows and closes."""
    cash = Decimal(run.manifest["cash"])
    held: Counter[str] = Counter()
    events = sorted([*run.cash, *run.fills], key=lambda row: row.ts)
    peak, day, done = Decimal("-Infinity"), None, 0
    for sample in run.equity:
        while done < len(events) and events[done].ts <= sample.ts:
            cash += apply(events[done], held)
            done += 1
        values = [shares * market.mark(one, sample.ts) for one, shares in held.items() if shares]
        long = sum((value for value in values if value > 0), Decimal(0))
        short = -sum((value for value in values if value < 0), Decimal(0))
        where = f"equity at {text(sample.ts)}"
        yield f"{where} cash", sample.cash, cash
        yield f"{where} long_value", sample.long_value, long
        yield f"{where} short_value", sample.short_value, short
        yield f"{where} equity", sample.equity, cash + long - short
        yield f"{where} positions", sample.positions, len(values)
        peak = max(peak, sample.equity) if local_day(sample.ts) == day else sample.equity
        day = local_day(sample.ts)
        yield f"{where} day_peak", sample.day_peak >= peak, True
    yield "events after the last sample", len(events) - done, 0


def apply(row: Any, held: Counter[str]) -> Decimal:
    """Take a fill or a cash row; return what it does to cash."""
    if hasattr(row, "kind"):
        return Decimal(row.amount)
    held[row.symbol] += signed(row)
    return Decimal(-signed(row) * row.price - row.commission)


def samples(run: Run, market: Market) -> Claims:
    """The account is sampled at the close of every session."""
    taken = {sample.ts for sample in run.equity}
    for day in market.days:
        if day.close <= run.manifest["last_ts"]:
            yield f"session {day.day}", day.close in taken, True


def manifest(run: Run, market: Market) -> Claims:
    """The summary files repeat what the tables say."""
    said, costs, last = run.manifest, run.metrics["costs"], run.equity[-1]
    yield "final_equity", Decimal(said["final_equity"]), last.equity
    yield "final_cash", Decimal(said["final_cash"]), last.cash
    yield "open_positions", said["open_positions"], last.positions
    yield "rows", said["rows"], sum(len(market.bars(symbol)) for symbol in said["symbols"])
    for name in (*SUMS, *PARTS):
        total = sum((getattr(fill, name) for fill in run.fills), Decimal(0))
        yield f"metrics {name}", Decimal(costs[name]), total
    for name, kind, sign in (("borrow", "borrow", -1), ("dividends", "dividend", 1)):
        total = sum((row.amount for row in run.cash if row.kind == kind), Decimal(0))
        yield f"metrics {name}", Decimal(costs[name]), sign * total


# -- corporate actions and borrow ------------------------------------------------------------------


def cash_rows(run: Run, market: Market) -> Claims:
    """Every dividend, borrow fee and fraction is there, and no other."""
    expected = Counter(
        (kind, symbol, ts, to_nano(amount), shares)
        for kind, symbol, ts, amount, shares in due_cash(run, market)
        if amount
    )
    found = Counter((row.kind, row.symbol, row.ts, row.amount, row.quantity) for row in run.cash)
    for kind, symbol, ts, amount, shares in found - expected:
        yield f"{kind} {symbol} {text(ts)} on {shares} shares", amount, "no such row"
    for kind, symbol, ts, amount, shares in expected - found:
        yield f"{kind} {symbol} {text(ts)} on {shares} shares", "no such row", amount


def due_cash(run: Run, market: Market) -> Iterable[tuple[str, str, int, Decimal, int]]:
    """Work out what falls due at the midnights before sessions, on what is held there."""
    a_night = Decimal(str(run.config["broker"]["borrow_rate"])) / 100 / 360
    for before, today in zip(market.days, market.days[1:], strict=False):
        due = midnight(today.day)
        if due > run.manifest["last_ts"]:
            return
        for symbol in run.trades_of:
            shares = run.held(symbol, due - 1)
            if shares < 0:
                nights = (today.day - before.day).days
                fee = to_nano(-shares * market.mark(symbol, due - 1) * a_night * nights)
                yield "borrow", symbol, due, -fee, shares
    for one in market.actions:
        due = midnight(one.day)
        shares = run.held(one.symbol, due - 1)
        if one.kind == "dividend":
            yield "dividend", one.symbol, due, shares * one.amount, shares
        elif shares * one.up % one.down:
            part = Decimal(abs(shares) * one.up % one.down) / one.up
            sign = 1 if shares > 0 else -1
            value = market.mark(one.symbol, due - 1) * part
            yield "cash_in_lieu", one.symbol, due, sign * floor_nano(value), shares


def floor_nano(amount: Decimal) -> Decimal:
    """Round a positive amount down to nine decimals: brokers pay no part of a nano."""
    return amount.quantize(Decimal("1e-9"), rounding="ROUND_FLOOR")


def splits(run: Run, market: Market) -> Claims:
    """A split turns every holding into its ratio of whole shares, at midnight, and nothing else."""
    expected = {}
    for one in market.actions:
        shares = run.held(one.symbol, midnight(one.day) - 1)
        sign = 1 if shares > 0 else -1
        change = sign * (abs(shares) * one.up // one.down) - shares
        if one.kind == "split" and change:
            expected[one.symbol, midnight(one.day)] = change
    found = {(f.symbol, f.ts): signed(f) for f in run.fills if f.purpose == "CORPORATE"}
    for symbol, ts in found.keys() | expected.keys():
        where = f"split of {symbol} {text(ts)}"
        yield where, found.get((symbol, ts), 0), expected.get((symbol, ts), 0)


# -- round trips -----------------------------------------------------------------------------------


def trips(run: Run, market: Market) -> Claims:
    """Round trips rebuilt from fills and cash rows, column by column, in the order they closed."""
    rebuilt = sorted(
        (trip for symbol in run.trades_of for trip in trips_of(run, market, symbol)),
        key=lambda trip: trip.closing,
    )
    yield "positions", len(run.positions), len(rebuilt)
    for row, trip in zip(run.positions, rebuilt, strict=False):
        for column, expected in vars(trip).items():
            if column != "closing":
                yield f"position {row.seq} {column}", getattr(row, column), expected


def trips_of(run: Run, market: Market, symbol: str) -> Iterator[SimpleNamespace]:
    """Follow one symbol from flat to flat."""
    held, trip = 0, None
    moves = [row for row in run.cash if row.symbol == symbol]
    for row in sorted([*moves, *run.trades_of[symbol]], key=lambda row: row.ts):
        if hasattr(row, "kind"):
            assert trip is not None, f"cash row {row.seq} without a position"
            trip.cash[row.kind] += row.amount
            continue
        shares = signed(row)
        if row.purpose == "CORPORATE":
            held += shares
        else:
            leaving = min(row.quantity, max(0, -held * (1 if shares > 0 else -1)))
            fee = floor_nano(row.commission * leaving / row.quantity)
            slipped = floor_nano(row.slippage * leaving / row.quantity)
            held += leaving if shares > 0 else -leaving
            if leaving:
                add(trip, "exited", leaving * row.price, fee, slipped)
        if not held and trip is not None:
            yield finished(trip, row, market)
            trip = None
        if row.purpose != "CORPORATE" and leaving < row.quantity:
            entering = row.quantity - leaving
            if trip is None:
                trip = opened(row, symbol)
            held += entering if shares > 0 else -entering
            trip.quantity += entering
            add(trip, "entered", entering * row.price, row.commission - fee, row.slippage - slipped)


def opened(fill: Any, symbol: str) -> SimpleNamespace:
    """Begin a trip."""
    sums = dict.fromkeys(("entered", "exited", *SUMS), Decimal(0))
    return SimpleNamespace(first=fill, symbol=symbol, quantity=0, cash=Counter(), **sums)


def add(trip: Any, column: str, value: Decimal, fee: Decimal, slipped: Decimal) -> None:
    """Add a part of a fill to a trip."""
    setattr(trip, column, getattr(trip, column) + value)
    trip.commission += fee
    trip.slippage += slipped


def finished(trip: Any, last: Any, market: Market) -> SimpleNamespace:
    """Return what the positions table should say."""
    first = trip.first
    sign = 1 if first.side == "BUY" else -1
    exited = trip.exited + sign * trip.cash["cash_in_lieu"]
    bars = market.seen(trip.symbol, last.ts) - market.seen(trip.symbol, first.ts)
    return SimpleNamespace(
        closing=last.seq,
        symbol=trip.symbol,
        strategy=first.strategy,
        side=first.side,
        quantity=trip.quantity,
        entry_price=to_nano(trip.entered / trip.quantity),
        exit_price=to_nano(exited / trip.quantity),
        realised=sign * (exited - trip.entered) - trip.commission,
        commission=trip.commission,
        slippage=trip.slippage,
        dividends=trip.cash["dividend"],
        borrow=-trip.cash["borrow"],
        entry_reason=first.reason,
        exit_reason=last.reason,
        bars_held=bars,
        ts_opened=first.ts,
        ts_closed=last.ts,
    )


# -- protection and limits -------------------------------------------------------------------------


def protection(run: Run, _market: Market) -> Claims:
    """Under `require_stop` every position is guarded, whole, from its entry to its end."""
    if not run.config["risk"]["require_stop"]:
        return
    parents = {order.parent_id for order in run.orders if order.purpose == "PROTECT"}
    for symbol, trades in run.trades_of.items():
        mine = [order for order in run.orders if order.symbol == symbol]
        guards = [order for order in mine if order.purpose in ("PROTECT", "EXIT")]
        for fill in trades:
            if fill.purpose == "ENTRY" and fill.position_after == signed(fill):
                yield f"{fill.order_id} has a PROTECT order", fill.order_id in parents, True
        times = {fill.ts for fill in trades} | {order.ts_closed for order in mine}
        for ts in sorted(times):
            shares = run.held(symbol, ts)
            if shares and ts < run.manifest["last_ts"]:
                guarded = any(covers(run, order, shares, ts) for order in guards)
                yield f"{symbol} {shares} shares guarded at {text(ts)}", guarded, True
        for order in guards:
            if order.purpose == "PROTECT" and order.status in ("CANCELED", "EXPIRED"):
                left = order.quantity - order.filled_quantity
                whole = left in sizes(run, order)
                yield f"{order.order_id} covered with {left} at its end", whole, True


def sizes(run: Run, order: Any) -> set[int]:
    """Return what was held at the instant an order ended, fill by fill (splits take some ns)."""
    ended = order.ts_closed
    instant = [fill for fill in run.trades_of[order.symbol] if ended - 9 <= fill.ts <= ended]
    before = run.held(order.symbol, ended - 10)
    return {abs(shares) for shares in (before, *(fill.position_after for fill in instant))}


def covers(run: Run, order: Any, shares: int, ts: int) -> bool:
    """Tell whether an order works after a time and would close a position."""
    done = sum(fill.quantity for fill in run.fills_of.get(order.order_id, []) if fill.ts <= ts)
    closes = (order.side == "SELL") == (shares > 0)
    works = order.ts_submitted <= ts < order.ts_closed and not order.denied_by
    # The table keeps the last size of a stop: while it stood it may only have been larger.
    whole = order.purpose == "PROTECT" or order.quantity - done >= abs(shares)
    return closes and works and whole


def limits(run: Run, market: Market) -> Claims:
    """Entries that the gate let pass were within size, gross and number of positions."""
    risk = run.config["risk"]
    sent = [one for one in run.orders if one.purpose == "ENTRY" and not one.denied_by]
    cash, held, done = Decimal(run.manifest["cash"]), Counter[str](), 0
    events = sorted([*run.cash, *run.fills], key=lambda row: row.ts)
    for order in sorted(sent, key=lambda order: order.seq):
        ts = order.ts_submitted
        while done < len(events) and events[done].ts <= ts:
            cash += apply(events[done], held)
            done += 1
        values = {one: shares * market.mark(one, ts) for one, shares in held.items() if shares}
        equity = cash + sum(values.values())
        added = signed(order) * worth(market, order)
        before = values.get(order.symbol, Decimal(0))
        size = abs(before + added)
        gross = sum(map(abs, values.values())) - abs(before) + size
        for name, value in (("position_percent", size), ("gross_percent", gross)):
            allowed = equity * Decimal(str(risk[name])) / 100
            yield f"{order.order_id} {name}: {value} of {equity}", value <= allowed, True
        count = len({*values, order.symbol})
        yield f"{order.order_id} max_positions: {count}", count <= risk["max_positions"], True


def worth(market: Market, order: Any) -> Decimal:
    """Return what an entry was taken to cost per share: the mark, or a limit that is worse.

    The table keeps the order's last size; splits may have restated it on its way.
    """
    price = market.mark(order.symbol, order.ts_submitted)
    for one in market.actions:
        if one.kind == "split" and one.symbol == order.symbol:
            if order.ts_submitted < midnight(one.day) < order.ts_closed:
                price = price * one.down / one.up
    if order.limit_price is None:
        return price
    return order.limit_price if order.side == "BUY" else max(price, order.limit_price)


CHECKS: Final = (
    numbering,
    orders,
    denials,
    fills,
    touch_prices,
    latency,
    participation,
    account,
    samples,
    manifest,
    cash_rows,
    splits,
    trips,
    protection,
    limits,
)


if __name__ == "__main__":
    run_folder, history_folder = map(Path, sys.argv[1:])
    found = audit(run_folder, lambda run: stored_market(run, history_folder))
    sys.stdout.writelines(f"{finding}\n" for finding in found)
    sys.exit(bool(found))
