import datetime as dt

from tradingd.domain.market import ActionKind
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.lean.identity import STILL_LISTED, Identities, Listing, name_changes

GOOGL = Listing(
    "GOOGL",
    (
        (dt.date(2004, 8, 19), dt.date(2014, 4, 2), "GOOG"),
        (dt.date(2014, 4, 3), STILL_LISTED, "GOOGL"),
    ),
)
GOOG = Listing(
    "GOOG",
    (
        (dt.date(2014, 3, 27), dt.date(2014, 4, 2), "GOOCV"),
        (dt.date(2014, 4, 3), STILL_LISTED, "GOOG"),
    ),
)
OLD_NEWS = Listing("TFCFA", ((dt.date(2004, 11, 12), dt.date(2013, 6, 28), "NWSA"),))


def test_a_ticker_belongs_to_the_company_that_used_it_that_day() -> None:
    identities = Identities([GOOG, GOOGL])
    assert identities.on("GOOG", dt.date(2014, 4, 2)) == "GOOGL"
    assert identities.on("GOOG", dt.date(2014, 4, 3)) == "GOOG"
    assert identities.on("GOOCV", dt.date(2014, 3, 28)) == "GOOG"


def test_a_ticker_without_map_files_is_itself() -> None:
    assert Identities([]).on("GME", dt.date(2014, 3, 28)) == "GME"


def test_days_that_no_map_file_claims_belong_to_another_company() -> None:
    identities = Identities([GOOG, GOOGL])
    assert identities.on("GOOG", dt.date(2004, 8, 18)) == "GOOG.1"


def test_letters_that_moved_on_are_the_new_companys_own() -> None:
    identities = Identities([OLD_NEWS])
    assert identities.on("NWSA", dt.date(2013, 6, 28)) == "TFCFA"
    assert identities.on("NWSA", dt.date(2013, 7, 1)) == "NWSA"
    assert identities.on("NWSA", dt.date(2000, 1, 3)) == "NWSA.1"


def test_changes_of_ticker_become_renames_and_the_last_day_a_delisting() -> None:
    calendar = SessionCalendar()
    renames = [(one.symbol, one.old_symbol, one.ex_date) for one in name_changes([GOOGL], calendar)]
    assert renames == [("GOOGL", "GOOG", dt.date(2014, 4, 3))]
    (delisting,) = name_changes([OLD_NEWS], calendar)
    # Friday 2013-06-28 was the last day, so Monday is the first without trading.
    assert (delisting.kind, delisting.ex_date) == (ActionKind.DELISTING, dt.date(2013, 7, 1))
