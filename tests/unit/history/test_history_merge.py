from tests.integration.history.history_samples import bars, trades
from tradingd.history.digest import bars_digest, combine
from tradingd.history.merge import Written, merged


def test_rows_that_are_already_there_count_as_same_and_change_nothing() -> None:
    stored = bars([10, 20], ["1", "2"])
    union, counts = merged(stored, bars([20], ["2"]))
    assert counts == Written(rows_same=1)
    assert union is stored


def test_a_later_value_for_the_same_time_wins_and_counts_as_revised() -> None:
    union, counts = merged(bars([10, 20], ["1", "2"]), bars([20, 30], ["5", "3"]))
    assert counts == Written(rows_new=1, rows_revised=1)
    assert [float(price) for price in union.column("close").to_pylist()] == [1, 5, 3]


def test_a_row_received_again_later_keeps_the_time_at_which_it_was_first_known() -> None:
    again = bars([10, 20], ["1", "7"])
    again = again.set_column(1, again.schema.field(1), again.column("ts_event").take([1, 1]))
    union, counts = merged(bars([10, 20], ["1", "2"]), again)
    assert counts == Written(rows_same=1, rows_revised=1)
    assert union.column("ts_init").cast("int64").to_pylist() == [10, 20]


def test_ticks_of_one_instant_are_compared_one_by_one_and_replaced_together() -> None:
    stored = trades([10, 10, 10, 20], ["1", "2", "3", "9"])
    union, counts = merged(stored, trades([10, 10], ["1", "5"]))
    # the first trade is the same, the second differs, the third is gone
    assert counts == Written(rows_same=1, rows_revised=2)
    assert [float(price) for price in union.column("price").to_pylist()] == [1, 5, 9]


def test_ticks_of_one_instant_may_grow() -> None:
    union, counts = merged(trades([10], ["1"]), trades([10, 10, 15], ["1", "2", "3"]))
    assert counts == Written(rows_new=2, rows_same=1)
    assert [float(price) for price in union.column("price").to_pylist()] == [1, 2, 3]


def test_a_null_equals_a_null_and_differs_from_a_value() -> None:
    plain = trades([10], ["1"])
    assert merged(plain, plain)[1] == Written(rows_same=1)


def test_a_digest_is_the_sum_of_the_digests_of_the_parts() -> None:
    whole = bars([10, 20, 30], ["1", "2", "3"])
    parts = [bars_digest(whole.slice(2)), bars_digest(whole.slice(0, 2))]
    assert combine(parts) == bars_digest(whole)


def test_a_digest_tells_times_prices_and_volumes_apart() -> None:
    digests = {
        bars_digest(table)
        for table in (
            bars([10], ["1"]),
            bars([11], ["1"]),
            bars([10], ["1.000000001"]),
            bars([10], ["1"], volume=101),
            bars([10, 11], ["1", "1"]),
        )
    }
    assert len(digests) == 5
