"""Membership in time."""

import datetime as dt
from pathlib import Path

import pytest

from tradingd.kits.failure import ExitCode, Failure
from tradingd.universe.members import Span, from_days, joined, read_membership
from tradingd.universe.shares import read_shares


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def written(folder: Path, *lines: str) -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_member_belongs_from_its_opt_in_to_the_day_before_its_opt_out(tmp_path: Path) -> None:
    path = written(tmp_path, "symbol,name,opt-in,opt-out", "AA,Alcoa,1976-07-01,2016-11-01")
    found = read_membership(path)
    assert not found.on("AA", day("1976-06-30"))
    assert found.on("AA", day("1976-07-01"))
    assert found.on("AA", day("2016-10-31"))
    assert not found.on("AA", day("2016-11-01"))
    assert not found.on("BB", day("2000-01-03"))


def test_an_empty_opt_out_is_a_member_still_and_an_empty_opt_in_one_for_ever(
    tmp_path: Path,
) -> None:
    found = read_membership(
        written(tmp_path, "symbol,opt-in,opt-out", "A,2000-06-05,", "B,,2010-01-04")
    )
    assert found.on("A", day("2199-01-01"))
    assert found.on("B", day("1900-01-01"))
    assert not found.on("B", day("2010-01-04"))


def test_a_symbol_may_come_back(tmp_path: Path) -> None:
    found = read_membership(
        written(
            tmp_path, "symbol,opt-in,opt-out", "A,2005-01-03,2006-01-03", "A,2001-01-02,2002-01-02"
        )
    )
    inside = [year for year in range(2000, 2008) if found.on("A", dt.date(year, 6, 1))]
    assert inside == [2001, 2005]
    assert found.ever(day("2002-01-02"), day("2005-01-02")) == ()
    assert found.ever(day("2002-01-02"), day("2005-01-03")) == ("A",)
    assert found.ever(day("2002-01-01"), day("2002-01-01")) == ("A",)


def test_a_row_that_begins_and_ends_on_one_day_is_of_no_day(tmp_path: Path) -> None:
    found = read_membership(written(tmp_path, "symbol,opt-in,opt-out", "AYE,1976-07-01,1976-07-01"))
    assert not found.on("AYE", day("1976-07-01"))


def test_spans_that_touch_are_one() -> None:
    first, second = Span(day("2020-01-01"), day("2020-02-01")), Span(day("2020-02-01"), dt.date.max)
    assert joined({"A": [second, first]}).spans == {"A": (Span(first.first, dt.date.max),)}


def test_members_of_days_hold_until_the_next_day_listed() -> None:
    friday, monday = day("2024-01-05"), day("2024-01-08")
    found = from_days([(friday, ["A", "B"]), (monday, ["B"])], last_until=day("2024-01-09"))
    assert found.spans["A"] == (Span(friday, monday),)
    assert found.spans["B"] == (Span(friday, day("2024-01-09")),)
    assert not found.on("B", day("2024-01-09"))


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("symbol,name", "A,Agilent"), ExitCode.UNREADABLE_INPUT),
        (("name,opt-in", "A,2000-01-03"), ExitCode.UNREADABLE_INPUT),
        (("symbol,opt-in,opt-out", "A,01/03/2000,"), ExitCode.INVALID_ROW),
        (("symbol,opt-in,opt-out", "A,2001-01-02,2000-01-03"), ExitCode.INVALID_ROW),
    ],
    ids=["no opt-in", "no symbol", "no date", "backwards"],
)
def test_a_bad_table_is_refused(tmp_path: Path, lines: tuple[str, ...], code: ExitCode) -> None:
    with pytest.raises(Failure) as caught:
        read_membership(written(tmp_path, *lines))
    assert caught.value.code is code
    assert "table.csv" in str(caught.value.where)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        read_membership(tmp_path / "nowhere.csv")
    assert caught.value.code is ExitCode.UNREADABLE_INPUT


def test_shares_outstanding_hold_from_their_date(tmp_path: Path) -> None:
    path = written(tmp_path, "symbol,date,shares", "a,2020-01-02,2000", "A,2019-01-02,1e3")
    assert read_shares(path) == {"A": ((day("2019-01-02"), 1000.0), (day("2020-01-02"), 2000.0))}


@pytest.mark.parametrize("row", ["A,2020-01-02,-5", "A,2020-01-02,many", "A,,5"])
def test_shares_that_are_none_are_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(Failure) as caught:
        read_shares(written(tmp_path, "symbol,date,shares", row))
    assert caught.value.code is ExitCode.INVALID_ROW
