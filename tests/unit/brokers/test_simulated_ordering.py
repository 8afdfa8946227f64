from hypothesis import given
from hypothesis import strategies as st

from tradingd.brokers.simulated.ordering import InOrder


@given(st.permutations(range(5, 25)), st.lists(st.integers(5, 24), max_size=20))
def test_events_come_out_once_and_in_order_however_they_come_in(arrival, repeated):
    order = InOrder()
    order.restart(5)
    out = []
    for seq in [*repeated, *arrival, *repeated]:
        out += [body["n"] for body in order.push(seq, {"n": seq})]
    assert out == list(range(5, 25))
    assert not order.missing


def test_a_missing_event_holds_back_what_follows_and_is_named():
    order = InOrder()
    assert order.push(2, {}) == []
    assert (order.missing, order.next) == (True, 1)
    assert len(order.push(1, {})) == 2
    assert (order.missing, order.next) == (False, 3)


def test_an_event_known_from_a_reply_alone_is_missing_too():
    order = InOrder()
    order.learn(1)
    assert order.missing
    order.restart(9)
    assert (order.missing, order.next) == (False, 9)
