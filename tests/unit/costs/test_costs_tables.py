"""The shipped rate tables: order, sources, coverage, age."""

import datetime as dt
from decimal import Decimal

import pytest

from tradingd.costs import rates
from tradingd.costs.age import MOST_DAYS, schedule_age, unverified
from tradingd.kits.failure import ExitCode, Failure

TABLES = {
    "section_31": rates.regulatory().section_31,
    "taf": rates.regulatory().taf,
    "cat": rates.regulatory().cat,
    "ibkr_fixed": rates.ibkr_fixed().rows,
    "ibkr_tiered": rates.ibkr_tiered().rows,
}


@pytest.mark.parametrize("name", TABLES)
def test_rows_are_in_time_order_and_name_their_source(name):
    rows = TABLES[name]
    starts = [row.start for row in rows]
    assert starts == sorted(set(starts))
    assert all(len(row.source) > 10 for row in rows)
    assert starts[0] <= dt.date(1998, 1, 2)


def test_a_row_holds_from_its_first_day_until_the_day_before_the_next():
    table = rates.regulatory().section_31
    assert rates.row_on(table, dt.date(2014, 3, 17)).per_million == Decimal("17.40")
    assert rates.row_on(table, dt.date(2014, 3, 18)).per_million == Decimal("22.10")
    assert rates.row_on(table, dt.date(2099, 1, 1)) is table[-1]


def test_a_day_before_the_table_is_refused():
    with pytest.raises(Failure) as refused:
        rates.row_on(rates.regulatory().taf, dt.date(1989, 12, 31))
    assert refused.value.code is ExitCode.CONFIG
    assert "1989-12-31" in refused.value.line()


def test_the_age_of_every_table_is_told_in_days():
    ages = schedule_age(rates.regulatory().checked + dt.timedelta(days=MOST_DAYS + 1))
    assert set(ages) == {"regulatory", "ibkr_fixed", "ibkr_tiered"}
    assert ages["regulatory"] == MOST_DAYS + 1


def test_what_no_source_confirms_can_be_listed():
    listed = unverified()
    assert any(line.startswith("Section 31 from 2015-02-14") for line in listed)
    assert not any(line.startswith("Section 31 from 2018-05-22") for line in listed)
