from hypothesis import given, settings
from hypothesis import strategies as st

from tradingd.feeds.ibkr import codes
from tradingd.feeds.ibkr.link import Told
from tradingd.feeds.ibkr.rows import (
    DELETE,
    INSERT,
    UPDATE,
    Row,
    changed,
    ladder,
    level_of,
    price_of,
    shares_of,
)
from tradingd.feeds.ibkr.stream import Stream

A, B, C, D = (Row(price * 10**9, 100, "X") for price in (40, 30, 20, 10))


def test_an_insertion_moves_rows_down_and_the_last_one_out() -> None:
    assert changed((A, C), INSERT, 1, B, 10) == (A, B, C)
    assert changed((B, C, D), INSERT, 0, A, 3) == (A, B, C)


def test_an_update_replaces_and_at_the_end_adds() -> None:
    assert changed((A, B), UPDATE, 1, C, 10) == (A, C)
    assert changed((A,), UPDATE, 1, B, 10) == (A, B)


def test_a_deletion_moves_rows_up_and_behind_the_end_does_nothing() -> None:
    assert changed((A, B, C), DELETE, 0, D, 10) == (B, C)
    assert changed((A,), DELETE, 5, D, 10) == (A,)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    steps=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6), st.integers(1, 9)), max_size=40),
    most=st.integers(1, 5),
)
def test_rows_change_like_a_list_that_is_cut(steps: list[tuple[int, int, int]], most: int) -> None:
    rows: tuple[Row, ...] = ()
    plain: list[Row] = []
    for operation, position, price in steps:
        row = Row(price, 1, "")
        rows = changed(rows, operation, position, row, most)
        if operation == INSERT:
            plain.insert(position, row)
        elif operation == DELETE:
            del plain[position : position + 1]
        elif position < len(plain):
            plain[position] = row
        else:
            plain.append(row)
        del plain[most:]
        assert list(rows) == plain


def test_prices_are_what_was_written_and_nonsense_is_none() -> None:
    assert price_of(30.1) == 30_100_000_000
    assert price_of(0.0001) == 100_000
    assert [price_of(told) for told in (0.0, -1.0, float("nan"), float("inf"))] == [0] * 4
    assert [shares_of(told) for told in (200.7, 0.5, -3.0, float("nan"))] == [200, 0, 0, 0]


def test_a_ladder_adds_up_rows_of_one_price_and_leaves_out_empty_ones() -> None:
    bids = (Row(40, 100, "P"), Row(40, 50, "Q"), Row(30, 0, "P"), Row(0, 9, "Q"), Row(20, 5, "P"))
    assert ladder(bids, (), 2) == (40, None, 150, 0, None, None, 20, None, 5, 0, None, None)
    assert [level_of(bids, at) for at in (0, 1, 4)] == [0, 0, 3]


def stream(*told: Told) -> Stream:
    made = Stream("A", None, 3)
    for one in told:
        made.apply(one, 1, closes=True)
    return made


def test_a_row_behind_a_missing_one_is_doubted() -> None:
    made = stream(Told(1, 0, "", INSERT, 1, 30.0, 100.0))
    event = made.apply(Told(1, 2, "", INSERT, 1, 29.0, 100.0), 1, closes=True)
    assert event is not None
    assert event.suspect
    assert event.book(2)[0::6] == (30 * 10**9, 29 * 10**9)


def test_what_takes_away_nothing_or_means_nothing_is_no_event() -> None:
    made = stream(Told(1, 0, "", INSERT, 1, 30.0, 100.0))
    for told in (
        Told(1, 1, "", DELETE, 1, 0.0, 0.0),
        Told(1, 0, "", 7, 1, 30.0, 1.0),
        Told(1, 0, "", INSERT, 2, 30.0, 1.0),
        Told(1, -1, "", INSERT, 1, 30.0, 1.0),
    ):
        assert made.apply(told, 1, closes=True) is None
    assert len(made.bids) == 1


def test_notices_are_no_refusals() -> None:
    assert [codes.notice(code) for code in (2104, 2152, 10167, 309, 354, 317)] == [
        *(True, True, True),
        *(False, False, False),
    ]
