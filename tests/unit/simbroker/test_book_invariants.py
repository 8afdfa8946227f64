"""Whatever is said to the broker, its books stay consistent, before and after a restart."""

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.simbroker.bench import Bench

FINAL = ("FILLED", "CANCELED", "EXPIRED", "REJECTED")
PRICE = st.integers(min_value=95, max_value=105)

submits = st.tuples(
    st.just("submit"),
    st.sampled_from(["a", "b", "c", "d", ""]),
    st.sampled_from(["BUY", "SELL"]),
    st.integers(min_value=0, max_value=50),
    st.sampled_from(["MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT"]),
    PRICE,
    PRICE,
    st.integers(min_value=0, max_value=4),
)
others = st.one_of(
    st.tuples(st.just("cancel"), st.sampled_from("abcd")),
    st.tuples(st.just("replace"), st.sampled_from("abcd"), st.integers(1, 60)),
    st.tuples(
        st.just("bar"), st.lists(PRICE, min_size=4, max_size=4), st.sampled_from([100, 2000])
    ),
    st.tuples(st.just("day"), PRICE),
    st.tuples(st.just("split"), st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.just("restart")),
)


def say(bench, step):
    match step:
        case ("submit", name, side, quantity, kind, limit, stop, pieces):
            fields = {"limit": str(limit)} if kind in ("LIMIT", "STOP_LIMIT") else {}
            fields |= {"stop": str(stop)} if kind in ("STOP_MARKET", "STOP_LIMIT") else {}
            bench.send(name, side, quantity, kind, pieces=pieces, **fields)
        case ("cancel", name):
            bench.say("cancel", client_order_id=name)
        case ("replace", name, quantity):
            bench.say("replace", client_order_id=name, quantity=quantity)
        case ("bar", [opened, one, other, close], volume):
            low, high = min(opened, one, other, close), max(opened, one, other, close)
            bench.bar(str(opened), str(high), str(low), str(close), volume=volume)
        case ("day", price):
            bar = [str(price)] * 4
            bench.bar(*bar, at=bench.ts + 86_400 * 10**9)
        case ("split", up, down):
            date = f"day {len(bench.told)} {bench.ts}"
            fields = {"numerator": up, "denominator": down, "ex_date": date, "ts": bench.ts}
            bench.say("corporate_action", kind="split", symbol="SPY", **fields)
        case ("restart",):
            bench.restart()


def check(bench, over):
    orders = bench.store.orders()
    fills = bench.store.rows("SELECT broker_order_id, side, quantity, price, commission FROM fills")
    filled = Counter()
    for broker_id, _, quantity, _, _ in fills:
        filled[broker_id] += quantity
    for order in orders:
        assert filled[order.broker_order_id] == order.filled
        assert order.status == "REJECTED" or order.filled <= order.quantity
        assert (order.status == "FILLED") == (order.filled == order.quantity > 0)
        state = (order.status, order.filled)
        assert over.setdefault(order.broker_order_id, state) == state
        if order.status not in FINAL:
            del over[order.broker_order_id]
    bought = sum(quantity if side == "BUY" else -quantity for _, side, quantity, _, _ in fills)
    moved = sum(a["shares"] for a in bench.say("adjustments")["adjustments"])
    assert bench.held() == bought + moved
    paid = sum(-c - (q if side == "BUY" else -q) * p for _, side, q, p, c in fills)
    lieu = bench.store.rows("SELECT COALESCE(SUM(cash), 0) FROM adjustments")[0][0]
    assert bench.desk.account.cash == 100_000 * 10**9 + paid + lieu
    assert [event["seq"] for event in bench.told] == list(range(1, bench.broker.seq + 1))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(submits, others), max_size=25), st.sampled_from([0, 10]))
def test_books_stay_consistent_whatever_is_said(steps, participation):
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), participation_percent=participation)
        try:
            over = {}
            for step in steps:
                say(bench, step)
                check(bench, over)
            view = (bench.cash(), bench.held(), [o.row() for o in bench.desk.working()])
            bench.restart()
            assert (bench.cash(), bench.held(), [o.row() for o in bench.desk.working()]) == view
        finally:
            bench.store.close()
