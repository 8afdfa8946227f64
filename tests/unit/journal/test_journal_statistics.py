from tests.unit.journal.journal_rows import DOLLAR, trip
from tradingd.journal.statistics import by_strategy, measured


def test_results_are_summed_up_as_by_hand() -> None:
    trips = [trip(dollars * DOLLAR) for dollars in (300, -100, 0, 50, -100)]
    found = measured("swing", trips)
    assert (found.trades, found.wins, found.losses) == (5, 2, 2)
    assert found.win_rate == 0.4
    assert found.net == 150 * DOLLAR
    assert found.fees == 5 * DOLLAR
    assert found.gross == 155 * DOLLAR
    assert found.average == 30 * DOLLAR
    assert found.average_win == 175 * DOLLAR
    assert found.average_loss == -100 * DOLLAR
    assert (found.largest_win, found.largest_loss) == (300 * DOLLAR, -100 * DOLLAR)
    assert found.profit_factor == 1.75
    assert found.slippage == 5 * DOLLAR // 2


def test_figures_without_a_meaning_are_absent() -> None:
    nothing = measured("", [])
    assert (nothing.trades, nothing.net) == (0, 0)
    assert nothing.win_rate is nothing.average is nothing.profit_factor is None
    only_wins = measured("", [trip(DOLLAR)])
    assert only_wins.profit_factor is None
    assert only_wins.average_loss is None


def test_sums_beyond_64_bits_stay_exact() -> None:
    huge = 2**62
    assert measured("", [trip(huge), trip(huge), trip(huge)]).net == 3 * huge


def test_strategies_stand_apart_and_all_together_come_last() -> None:
    trips = [trip(DOLLAR, strategy="b"), trip(-DOLLAR, strategy="a"), trip(DOLLAR, strategy="a")]
    found = by_strategy(trips)
    assert [(one.strategy, one.trades) for one in found] == [("a", 2), ("b", 1), ("", 3)]
