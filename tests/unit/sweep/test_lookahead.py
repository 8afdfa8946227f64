"""Cuts and late starts, on strategies small enough to work out by hand."""

import datetime as dt
from collections.abc import Callable, Sequence

import pytest

from tradingd.app.lookahead import Decisions, Placed, spread, validate
from tradingd.kits.failure import ExitCode

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=step) for step in range(12)]
PRICES = dict(zip(DAYS, (5, 6, 7, 6, 5, 4, 5, 6, 7, 8, 7, 6), strict=True))

type Rule = Callable[[Sequence[int], int], bool]


def ts(day: dt.date) -> int:
    return int(dt.datetime(day.year, day.month, day.day, 21, tzinfo=dt.UTC).timestamp()) * 10**9


def trader(buys: Rule) -> Callable[[dt.date | None, dt.date | None], Decisions]:
    """Buy one share on each day the rule says so; the rule sees the whole range it is given."""

    def decide(start: dt.date | None, end: dt.date | None) -> Decisions:
        days = [day for day in DAYS if (start or DAYS[0]) <= day <= (end or DAYS[-1])]
        prices = [PRICES[day] for day in days]
        orders = [
            Placed(
                ts=ts(day),
                symbol="SPY",
                side="BUY",
                quantity=1,
                type="MARKET",
                purpose="ENTRY",
                reason="rule",
            )
            for place, day in enumerate(days)
            if buys(prices, place)
        ]
        return Decisions(orders=tuple(orders), last_ts=ts(days[-1]))

    return decide


def rising(prices: Sequence[int], place: int) -> bool:
    return place > 0 and prices[place] > prices[place - 1]


def rises_tomorrow(prices: Sequence[int], place: int) -> bool:
    return place + 1 < len(prices) and prices[place + 1] > prices[place]


def near_the_low_of_all(prices: Sequence[int], place: int) -> bool:
    return prices[place] <= min(prices) + 1


def above_three_days_ago(prices: Sequence[int], place: int) -> bool:
    return place >= 3 and prices[place] > prices[place - 3]


def test_a_rule_of_the_past_is_clean() -> None:
    found = validate(trader(rising), DAYS)
    # Prices rise on days 1, 2 and 6-9; the cuts end at days 3, 6 and 9.
    assert [cut.compared for cut in found.cuts] == [2, 3, 6]
    assert not any(cut.differs for cut in found.cuts)
    assert (found.orders, found.exit_code) == (6, ExitCode.OK)


def test_a_rule_that_sees_one_bar_ahead_is_caught_at_the_cut() -> None:
    found = validate(trader(rises_tomorrow), DAYS)
    # Bought with the future on days 0, 1, 5-8. Cuts after days 3 and 9 end before a fall: nothing
    # shows. The cut after day 6 (price 5, then 6) does not buy on day 6 any more.
    assert [cut.differs for cut in found.cuts] == [False, True, False]
    assert found.cuts[1].with_future == ("2024-01-07 21:00:00 UTC BUY 1 SPY MARKET (ENTRY: rule)")
    assert found.cuts[1].without_future is None
    assert found.exit_code == ExitCode.LOOK_AHEAD


def test_a_statistic_of_the_whole_sample_is_caught_at_the_first_order_it_changes() -> None:
    found = validate(trader(near_the_low_of_all), DAYS)
    # The low of all is 4 (day 5): the full run buys at 5 or less, on day 0 and days 4-6. Up to
    # day 3 the low is 5, so the run that knows no more buys at 6 or less, on days 0, 1 and 3.
    assert [cut.differs for cut in found.cuts] == [True, False, False]
    assert found.cuts[0].compared == 1
    assert found.cuts[0].with_future is None
    assert (found.cuts[0].without_future or "").startswith("2024-01-02 ")


def test_an_order_only_the_shortened_run_places_is_a_difference_too() -> None:
    def sells_the_end(prices: Sequence[int], place: int) -> bool:
        return place == len(prices) - 1

    found = validate(trader(sells_the_end), DAYS, cuts=1)
    assert found.cuts[0].with_future is None
    assert found.cuts[0].without_future is not None


def test_warm_up_ends_when_a_later_start_gives_the_same_signals() -> None:
    found = validate(trader(above_three_days_ago), DAYS)
    # Started on day 3 the rule is silent until day 6. The full run buys on day 3 (6 > 5) and on
    # days 7-10 (6 > 5, 7 > 4, 8 > 5, 7 > 6): from day 4, one session later, both are the same.
    assert found.warm_up is not None
    assert found.warm_up.starts == DAYS[3]
    assert found.warm_up.agrees_from == DAYS[4]
    assert found.warm_up.sessions == 1


def test_signals_that_never_agree_have_no_warm_up() -> None:
    def odd_places(prices: Sequence[int], place: int) -> bool:
        return place % 2 == 1

    found = validate(trader(odd_places), DAYS)
    assert found.warm_up is not None
    assert (found.warm_up.agrees_from, found.warm_up.sessions) == (None, None)


def test_files_of_its_own_make_a_strategy_suspect() -> None:
    def decide(start: dt.date | None, end: dt.date | None) -> Decisions:
        return Decisions(orders=(), last_ts=ts(DAYS[-1]), files=("/home/me/future.csv",))

    assert validate(decide, DAYS).exit_code == ExitCode.LOOK_AHEAD


@pytest.mark.parametrize(
    ("length", "count", "places"), [(12, 3, [3, 6, 9]), (2, 3, []), (3, 3, [1])]
)
def test_cuts_part_the_range_evenly_and_never_at_its_ends(
    length: int, count: int, places: list[int]
) -> None:
    assert spread(DAYS[:length], count) == [DAYS[place] for place in places]


def test_shorter_runs_come_first_so_that_nothing_is_remembered_from_the_future() -> None:
    asked: list[tuple[dt.date | None, dt.date | None]] = []

    def decide(start: dt.date | None, end: dt.date | None) -> Decisions:
        asked.append((start, end))
        return Decisions(orders=(), last_ts=ts(end or DAYS[-1]))

    validate(decide, DAYS)
    assert asked == [
        (None, DAYS[3]),
        (None, DAYS[6]),
        (None, DAYS[9]),
        (None, None),
        (DAYS[3], None),
    ]
