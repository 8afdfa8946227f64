from hypothesis import given, settings
from hypothesis import strategies as st

from tradingd.recorder.slots import Place, Slots


def test_the_first_get_streams_and_the_others_wait_in_the_order_they_asked():
    slots = Slots(2)
    assert [slots.ask(one) for one in "ABCD"] == [
        Place.RECORDING, Place.RECORDING, Place.QUEUED, Place.QUEUED,
    ]  # fmt: skip
    assert (slots.held, slots.line) == (("A", "B"), ("C", "D"))


def test_whoever_leaves_hands_its_stream_to_the_first_in_line():
    slots = Slots(1)
    for one in "ABC":
        slots.ask(one)
    assert slots.leave("A") == "B"
    assert (slots.held, slots.line) == (("B",), ("C",))


def test_leaving_the_line_frees_no_stream():
    slots = Slots(1)
    for one in "ABC":
        slots.ask(one)
    assert slots.leave("B") is None
    assert (slots.held, slots.line) == (("A",), ("C",))


def test_asking_twice_keeps_the_place():
    slots = Slots(1)
    for one in "ABCB":
        slots.ask(one)
    assert slots.line == ("B", "C")
    assert slots.ask("A") is Place.RECORDING


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from("ABCDEF"))), st.integers(1, 3))
def test_streams_are_never_too_many_and_never_idle_while_somebody_waits(steps, capacity):
    slots = Slots(capacity)
    came: list[str] = []
    for asks, symbol in steps:
        if asks:
            slots.ask(symbol)
            came += [symbol] if symbol not in came else []
        else:
            slots.leave(symbol)
            came = [one for one in came if one != symbol]
        assert len(slots.held) <= capacity
        assert not slots.line or len(slots.held) == capacity
        # First come, first served: the line is the end of the order in which they came.
        assert list(slots.line) == came[len(slots.held) :]
        assert set(slots.held) == set(came[: len(slots.held)])
