"""The book against a naive recomputation of the whole history after every event."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.gate.gate_bench import NOW, SESSION, buy, sell, usd
from tradingd.domain.orders import Fill, Purpose, Side
from tradingd.gate.book import Book, ClosedTrip

SYMBOLS = ("AAA", "BBB")
CASH = usd(1_000_000)

prices = st.integers(1, 500_000).map(lambda tenths_of_cents: tenths_of_cents * 1_000_000)
symbols = st.sampled_from(SYMBOLS)
trades = st.tuples(
    st.just("fill"),
    symbols,
    st.sampled_from([Side.BUY, Side.SELL]),
    st.integers(1, 400),
    prices,
    st.integers(0, 3_000_000_000),
    st.integers(0, 2_000_000_000),
)
marks = st.tuples(st.just("mark"), symbols, prices)
splits = st.tuples(st.just("split"), symbols, st.sampled_from([(2, 1), (7, 1), (3, 2), (1, 4)]))
dividends = st.tuples(st.just("dividend"), symbols, st.integers(1, 2_000_000_000))
stops = st.tuples(st.just("stop"), symbols, st.none() | prices)
working = st.tuples(st.just("working"), symbols, st.booleans(), st.integers(1, 300), prices)
closing = st.tuples(st.just("closing"), st.integers(0, 5))
histories = st.lists(
    st.one_of(trades, trades, marks, marks, splits, dividends, stops, working, closing), max_size=40
)


class Naive:
    """Keeps lists only, and computes everything from them when asked."""

    def __init__(self) -> None:
        self.flows: list[int] = []
        self.quantity = dict.fromkeys(SYMBOLS, 0)
        self.mark: dict[str, int] = {}
        self.cost = {symbol: Fraction(0) for symbol in SYMBOLS}
        self.stop: dict[str, int | None] = dict.fromkeys(SYMBOLS)
        self.realised = Fraction(0)
        self.rounding = 0
        self.trip_flows: dict[str, list[int]] = {symbol: [] for symbol in SYMBOLS}

    def fill(self, fill: Fill) -> int | None:
        """Book a fill; return the cash result of the trip it closed."""
        symbol, sign, price = fill.symbol, fill.side.sign, fill.price
        self.mark.setdefault(symbol, price)
        self.flows.append(-sign * fill.quantity * price - fill.commission)
        held = self.quantity[symbol]
        reducing = min(abs(held), fill.quantity) if held * sign < 0 else 0
        adding = fill.quantity - reducing
        fee = fill.commission * reducing // fill.quantity
        result = None
        self.realised -= fill.commission
        if reducing:
            part = self.cost[symbol] * Fraction(reducing, abs(held))
            self.realised += -sign * reducing * price - part
            self.cost[symbol] -= part
            self.rounding += 1
            self.trip_flows[symbol].append(-sign * reducing * price - fee)
            if reducing == abs(held):
                result = sum(self.trip_flows[symbol])
                self.trip_flows[symbol] = []
                self.stop[symbol] = None
        if adding:
            self.cost[symbol] += sign * adding * price
            self.trip_flows[symbol].append(-sign * adding * price - (fill.commission - fee))
        self.quantity[symbol] += sign * fill.quantity
        return result

    @property
    def cash(self) -> int:
        return CASH + sum(self.flows)

    @property
    def values(self) -> list[int]:
        return [self.quantity[s] * self.mark.get(s, 0) for s in SYMBOLS]


def apply(book: Book, naive: Naive, event: tuple, number: int, open_orders: list) -> None:
    kind, ts = event[0], NOW + number
    if kind == "fill":
        _, symbol, side, quantity, price, commission, slippage = event
        fill = Fill(
            order_id=f"F{number}",
            strategy="test",
            symbol=symbol,
            side=side,
            quantity=quantity,
            price=price,
            commission=commission,
            slippage=slippage,
            purpose=Purpose.ENTRY,
            ts=ts,
        )
        trip = book.fill(fill)
        result = naive.fill(fill)
        assert (trip is None) == (result is None)
        if trip is not None:
            assert isinstance(trip, ClosedTrip)
            assert trip.realised == result
    elif kind == "mark":
        book.mark(event[1], event[2], ts)
        naive.mark[event[1]] = event[2]
    elif kind == "split":
        split(book, naive, event[1], *event[2], ts)
    elif kind == "dividend":
        amount = naive.quantity[event[1]] * event[2]
        book.cash_movement(event[1], amount, "dividend")
        naive.flows.append(amount)
    elif kind == "stop":
        book.set_stop(event[1], event[2])
        if naive.quantity[event[1]]:
            naive.stop[event[1]] = event[2]
    elif kind == "working":
        _, symbol, long, quantity, price = event
        intent = (buy if long else sell)(quantity, symbol=symbol, order_id=f"W{number}")
        book.order_opened(intent)
        open_orders.append(f"W{number}")
    elif open_orders:
        book.order_closed(open_orders.pop(event[1] % len(open_orders)))


def split(book: Book, naive: Naive, symbol: str, new: int, old: int, ts: int) -> None:
    held = naive.quantity[symbol]
    whole = abs(held) * new // old * (1 if held > 0 else -1)
    if held and not whole:
        return
    book.split(symbol, new, old)
    if symbol in naive.mark:
        naive.mark[symbol] = (2 * naive.mark[symbol] * old + new) // (2 * new)
    if naive.stop[symbol] is not None:
        naive.stop[symbol] = (2 * naive.stop[symbol] * old + new) // (2 * new)
    change = whole - held
    if change:
        book.fill(
            Fill(
                order_id=f"SPLIT{ts}",
                strategy="test",
                symbol=symbol,
                side=Side.BUY if change > 0 else Side.SELL,
                quantity=abs(change),
                price=0,
                commission=0,
                slippage=0,
                purpose=Purpose.CORPORATE,
                ts=ts,
            )
        )
        naive.quantity[symbol] = whole


def agrees(book: Book, naive: Naive) -> None:
    assert book.cash == naive.cash
    assert book.equity == naive.cash + sum(naive.values)
    assert book.long_value == sum(value for value in naive.values if value > 0)
    assert book.short_value == -sum(value for value in naive.values if value < 0)
    assert abs(book.realised_today - naive.realised) <= naive.rounding
    for symbol in SYMBOLS:
        position = book.position(symbol)
        if not naive.quantity[symbol]:
            assert position is None
            continue
        assert position.quantity == naive.quantity[symbol]
        assert position.mark == naive.mark[symbol]
        assert position.stop == naive.stop[symbol]
        average = abs(naive.cost[symbol] / naive.quantity[symbol])
        assert abs(position.average_price - average) <= naive.rounding + 1


def risk_of_positions(book: Book) -> int:
    return sum(
        abs(p.cost) if p.stop is None else max(0, p.cost - p.stop * p.quantity)
        for p in book.positions().values()
    )


@settings(max_examples=300, deadline=None)
@given(histories)
def test_the_book_agrees_with_a_recomputation_after_every_event(history):
    book, naive = Book(CASH), Naive()
    book.start_session(SESSION)
    open_orders: list[str] = []
    peak = CASH
    for number, event in enumerate(history):
        apply(book, naive, event, number, open_orders)
        agrees(book, naive)
        peak = max(peak, book.equity)
        assert book.equity <= book.day_peak <= peak
    for order_id in open_orders:
        book.order_closed(order_id)
    assert book.open_risk == risk_of_positions(book)
    assert (book.pending_long, book.pending_short, book.unfilled_entries) == (0, 0, 0)
    assert book.occupied == len(book.positions())


@settings(max_examples=150, deadline=None)
@given(histories, st.integers(0, 40))
def test_a_restart_at_any_event_changes_nothing_afterwards(history, cut):
    book, naive = Book(CASH), Naive()
    book.start_session(SESSION)
    again = None
    orders: list[str] = []
    copy_orders: list[str] = []
    for number, event in enumerate(history):
        if number == cut:
            again, copy_orders = Book.restore(book.snapshot()), list(orders)
            copy_naive = Naive()
            copy_naive.__dict__.update({k: _copy(v) for k, v in naive.__dict__.items()})
        if again is not None:
            apply(again, copy_naive, event, number, copy_orders)
        apply(book, naive, event, number, orders)
    if again is not None:
        assert again.snapshot() == book.snapshot()


def _copy(value):
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in value.items()}
    return list(value) if isinstance(value, list) else value
