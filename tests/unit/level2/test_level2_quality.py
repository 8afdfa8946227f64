import pytest

from tradingd.domain.depth import Ladder
from tradingd.level2.columns import Quality
from tradingd.level2.quality import QualityWatch

DOLLAR = 1_000_000_000
STALE = 60


def ladder(*levels: tuple[float | None, float | None]) -> Ladder:
    row: list[int | None] = []
    for bid, ask in levels:
        prices = [None if price is None else round(price * DOLLAR) for price in (bid, ask)]
        row += [*prices, 0 if bid is None else 100, 0 if ask is None else 100, 1, 1]
    return tuple(row)


@pytest.mark.parametrize(
    ("book", "bits"),
    [
        (ladder((10, 10.01), (9.99, 10.02)), 0),
        (ladder((10.02, 10.01)), Quality.CROSSED),
        (ladder((10.01, 10.01)), Quality.LOCKED),
        (ladder((None, 10.01)), Quality.NO_BID),
        (ladder((10, None)), Quality.NO_ASK),
        (ladder((None, None)), Quality.NO_BID | Quality.NO_ASK),
        (ladder((10, 10.01), (10.005, 10.02)), Quality.DISORDER),
        (ladder((10, 10.01), (10, 10.02)), Quality.DISORDER),
        (ladder((10, 10.01), (9, 10.005)), Quality.DISORDER),
        (ladder((None, 10.01), (9, 10.02)), Quality.NO_BID | Quality.DISORDER),
        (ladder((10, 10.01), (None, None), (8, 12)), Quality.DISORDER),
        (ladder((10, 10.01), (None, None), (None, None)), 0),
    ],
    ids=[
        "sound",
        "crossed",
        "locked",
        "no-bid",
        "no-ask",
        "empty",
        "bid-better-below",
        "bid-twice",
        "ask-better-below",
        "hole-at-the-top",
        "hole",
        "thin",
    ],
)
def test_the_shape_of_a_book_decides_its_bits(book: Ladder, bits: int) -> None:
    assert QualityWatch(10, STALE).assess(book, 0) == bits


def test_a_side_is_stale_when_only_the_other_moved_for_the_whole_time() -> None:
    watch = QualityWatch(2, STALE)
    assert watch.assess(ladder((10, 10.05)), 0) == 0
    assert watch.assess(ladder((10, 10.04)), 59) == 0
    assert watch.assess(ladder((10, 10.03)), 60) == Quality.STALE_BID
    assert watch.assess(ladder((9.99, 10.03)), 61) == 0


def test_a_quiet_book_is_not_stale() -> None:
    watch = QualityWatch(2, STALE)
    assert [watch.assess(ladder((10, 10.05)), ts) for ts in (0, 60, 600)] == [0, 0, 0]


def test_only_kept_levels_count() -> None:
    watch = QualityWatch(1, STALE)
    watch.assess(ladder((10, 10.05), (9, 11)), 0)
    assert watch.assess(ladder((10, 10.05), (9, 12)), 60) == 0
    assert watch.assess(ladder((10, 10.05), (11, 12)), 61) == 0


def test_a_gap_is_told_once_and_doubt_with_each_row() -> None:
    watch = QualityWatch(1, STALE)
    watch.gap()
    assert watch.assess(ladder((10, 10.05)), 0) == Quality.GAP
    assert watch.assess(ladder((10, 10.05)), 1, suspect=True) == Quality.SUSPECT
    assert watch.assess(ladder((10, 10.05)), 2) == 0
