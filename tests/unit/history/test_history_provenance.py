from pathlib import Path

from tradingd.domain.market import Resolution
from tradingd.history.manifest import Commit, FileRecord, Fill, append
from tradingd.history.provenance import in_force, joined, paint

DAY = Resolution.DAY.nanoseconds


def fill(first: int, last: int, source: str = "a", verdict: str = "", symbol: str = "SPY") -> Fill:
    return Fill(
        table="bars",
        symbol=symbol,
        resolution=Resolution.DAY,
        first_ts=first * DAY,
        last_ts=last * DAY,
        rows=last - first + 1,
        source=source,
        verdict=verdict,
    )


def spans(fills: list[Fill]) -> list[tuple[str, float, float]]:
    return [(one.source, one.first_ts / DAY, one.last_ts / DAY) for one in fills]


def rounded(fills: list[Fill]) -> list[tuple[str, int, int]]:
    return [(source, round(first), round(last)) for source, first, last in spans(fills)]


def test_a_later_fill_covers_what_it_overlaps_and_the_rest_stays() -> None:
    assert rounded(paint([fill(1, 10)], fill(4, 6, "b"))) == [
        ("a", 1, 4),
        ("b", 4, 6),
        ("a", 6, 10),
    ]
    before, _, after = paint([fill(1, 10)], fill(4, 6, "b"))
    assert before.last_ts == 4 * DAY - 1
    assert after.first_ts == 6 * DAY + 1


def test_a_fill_that_covers_others_wholly_replaces_them() -> None:
    assert spans(paint([fill(2, 3), fill(4, 5, "b")], fill(1, 9, "c"))) == [("c", 1, 9)]


def test_fills_that_do_not_touch_stand_side_by_side_in_time_order() -> None:
    assert spans(paint([fill(5, 6)], fill(1, 2, "b"))) == [("b", 1, 2), ("a", 5, 6)]


def test_neighbours_of_one_write_are_joined_over_a_long_weekend() -> None:
    (one,) = joined([fill(1, 1), fill(5, 6), fill(2, 2)])
    assert (one.first_ts, one.last_ts, one.rows) == (1 * DAY, 6 * DAY, 4)


def test_gaps_symbols_and_verdicts_part_fills() -> None:
    apart = [fill(1, 1), fill(9, 9), fill(1, 1, symbol="QQQ"), fill(10, 10, verdict="clean")]
    assert len(joined(apart)) == 4


def test_commits_without_fills_count_by_the_spans_of_their_files(tmp_path: Path) -> None:
    def file(first: int, last: int, source: str) -> FileRecord:
        return FileRecord(
            path=f"bars/{source}{first}",
            table="bars",
            symbol="SPY",
            resolution=Resolution.DAY,
            rows=last - first + 1,
            bytes=1,
            sha256="",
            source=source,
            first_ts=first * DAY,
            last_ts=last * DAY,
        )

    old = Commit(at="2026-01-01", source="lean", add=(file(1, 10, "lean"),))
    new = Commit(at="2026-01-02", source="tiingo", fills=(fill(5, 10, source=""),))
    united = Commit(at="2026-01-03", source="compact", add=(file(1, 10, "lean+tiingo"),))
    append(tmp_path, [old, new, united])
    found = in_force(tmp_path)
    assert rounded(found) == [("lean", 1, 5), ("tiingo", 5, 10)]
    assert [one.at for one in found] == ["2026-01-01", "2026-01-02"]
