from tests.servers.databento_gateway import record
from tradingd.domain.depth import DepthEvent, DepthGap
from tradingd.feeds.databento.teller import Teller
from tradingd.vendors.databento.records import book_event, ladder

CENT = 10_000_000


class Heard:
    def __init__(self) -> None:
        self.events: list[DepthEvent] = []
        self.gaps: list[DepthGap] = []
        self.reached_at: list[int] = []

    def event(self, event: DepthEvent) -> None:
        self.events.append(event)

    def reached(self, ts: int) -> None:
        self.reached_at.append(ts)

    def gap(self, gap: DepthGap) -> None:
        self.gaps.append(gap)


def test_a_ladder_has_six_values_a_level_from_the_best() -> None:
    made = record(1, 1_000, bid=30 * 10**9, ask=30 * 10**9 + CENT, size=100)
    assert ladder(made, 2) == (
        *(30 * 10**9, 30 * 10**9 + CENT, 100, 100, 1, 2),
        *(30 * 10**9 - CENT, 30 * 10**9 + 2 * CENT, 101, 102, 2, 3),
    )


def test_levels_that_do_not_exist_have_no_price_and_size_zero() -> None:
    assert ladder(record(1, 1_000, levels=1), 2)[6:] == (None, None, 0, 0, 0, 0)
    assert ladder(record(1, 1_000), 12)[60:] == (None, None, 0, 0, 0, 0) * 2


def test_flags_tell_the_end_of_an_event_and_doubt() -> None:
    def told(flags: int) -> tuple[bool, bool]:
        event = book_event("A", record(1, 1_000, flags=flags), 1_000, doubted=False)
        return event.closes, event.suspect

    assert told(0) == (False, False)
    assert told(128 | 16 | 32 | 2) == (True, False)
    assert told(128 | 4) == (True, True)
    assert told(8) == (False, True)


def test_a_price_that_is_not_there_is_none() -> None:
    made = record(1, 1_000, action="R", price=2**63 - 1)
    event = book_event("A", made, 1_000, doubted=False)
    assert (event.price, event.action) == (None, "R")


def test_a_receive_time_that_goes_back_is_held_and_doubted() -> None:
    heard = Heard()
    teller = Teller(heard)
    teller.record("A", record(1, 5_000))
    teller.record("A", record(1, 4_000, sequence=2))
    teller.record("B", record(2, 4_500))
    assert [(e.symbol, e.ts_recv, e.suspect) for e in heard.events] == [
        ("A", 5_000, False),
        ("A", 5_000, True),
        ("B", 4_500, False),
    ]


def test_a_sequence_that_goes_back_is_a_gap_before_its_record() -> None:
    heard = Heard()
    teller = Teller(heard)
    for sequence in (7, 7, 9, 3, 4):
        teller.record("A", record(1, 5_000, sequence=sequence))
    assert [(gap.reason, gap.detail) for gap in heard.gaps] == [("sequence", "9 then 3")]
    teller.restart("A")
    teller.record("A", record(1, 6_000, sequence=1))
    assert len(heard.gaps) == 1


def test_the_time_reached_leaves_out_the_newest_and_never_goes_back() -> None:
    heard = Heard()
    teller = Teller(heard)
    teller.record("A", record(1, 5_000))
    teller.settle()
    teller.record("A", record(1, 5_000, sequence=2))
    teller.settle()
    teller.beat(3_000_005_000)
    teller.settle()
    teller.beat(1_000_000_000)
    teller.settle()
    assert heard.reached_at == [4_999, 2_000_004_999]
