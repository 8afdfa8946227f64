"""Each rule on a clean table with exactly one defect planted."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tradingd.domain.market import ActionKind, CorporateAction, DataKind, Resolution
from tradingd.domain.money import nanos
from tradingd.quality.catalog import rules_for
from tradingd.quality.check import run_rule
from tradingd.quality.report import Finding
from tradingd.quality.tables import load_events, load_rows, load_sessions
from tradingd.quality.thresholds import Thresholds
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar()
# 60 sessions from the spring of 2014; every price below is in dollars.
SESSIONS = CALENDAR.between(dt.date(2014, 3, 3), dt.date(2014, 5, 27))
MINUTE = Resolution.MINUTE.nanoseconds

type Row = dict[str, Any]


def daily_bars() -> list[Row]:
    """A price that climbs from 100 to 101 and falls back, week by week, and steady volume."""
    return [
        bar(session.close_ns, 100 + number % 5 / 4, 1_000 + number % 3)
        for number, session in enumerate(SESSIONS)
    ]


def minute_bars(days: int = 3) -> list[Row]:
    rows = []
    for session in SESSIONS[:days]:
        ends = range(session.open_ns + MINUTE, session.close_ns + 1, MINUTE)
        rows += [bar(ts, 100 + number % 2 / 100, 500) for number, ts in enumerate(ends)]
    return rows


def bar(ts: int, close: float, volume: int) -> Row:
    return {
        "symbol": "A",
        "ts": ts,
        "open": float(close),
        "high": close + 0.5,
        "low": close - 1,
        "close": float(close),
        "volume": volume,
    }


def quote(ts: int, bid: float, ask: float) -> Row:
    return {"symbol": "A", "ts": ts, "bid": bid, "ask": ask, "bid_size": 1, "ask_size": 1}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        load_sessions(connection, CALENDAR)
        yield connection


def findings(
    connection: duckdb.DuckDBPyConnection,
    rows: Sequence[Mapping[str, Any]],
    resolution: Resolution | None,
    actions: Sequence[CorporateAction] = (),
) -> list[Finding]:
    """Run every rule that applies, as the check does."""
    kind = DataKind.BARS if resolution else DataKind.QUOTES
    load_events(connection, actions, frozenset())
    _put(connection, rows, resolution)
    load_rows(connection, "planted", kind, resolution, ["A"])
    found = []
    for rule in rules_for(kind, resolution, Thresholds()):
        found += run_rule(connection, rule, kind, resolution)[1]
    return found


def _put(
    connection: duckdb.DuckDBPyConnection,
    rows: Sequence[Mapping[str, Any]],
    resolution: Resolution | None,
) -> None:
    prices = [name for name in rows[0] if name not in ("symbol", "ts")]
    types = dict.fromkeys(("volume", "bid_size", "ask_size"), "BIGINT")
    columns = ", ".join(f"{name}::{types.get(name, 'DECIMAL(18, 9)')} as {name}" for name in prices)
    connection.register("given", pa.Table.from_pylist(list(rows)))
    connection.execute(
        "create or replace table planted as select symbol, make_timestamp_ns(ts) as ts_event, "
        f"make_timestamp_ns(ts) as ts_init, '{resolution}' as resolution, {columns} from given"
    )


def only(found: Sequence[Finding]) -> tuple[str, int]:
    (finding,) = found
    assert finding.symbol == "A"
    return finding.rule, finding.ts


def test_clean_daily_bars_have_no_finding(connection: duckdb.DuckDBPyConnection) -> None:
    assert findings(connection, daily_bars(), Resolution.DAY) == []


def test_clean_minute_bars_have_no_finding(connection: duckdb.DuckDBPyConnection) -> None:
    assert findings(connection, minute_bars(), Resolution.MINUTE) == []


def test_clean_quotes_have_no_finding(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [quote(SESSIONS[0].open_ns + number, 100, 100.01) for number in (1, 2)]
    assert findings(connection, rows, None) == []


def test_a_duplicate_is_found(connection: duckdb.DuckDBPyConnection) -> None:
    rows = daily_bars()
    rows.append(rows[7])
    assert only(findings(connection, rows, Resolution.DAY)) == ("duplicate", rows[7]["ts"])


def test_missing_sessions_are_found_at_the_first_missing_close(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = daily_bars()
    del rows[10:12]
    found = findings(connection, rows, Resolution.DAY)
    assert only(found) == ("missing_session", SESSIONS[10].close_ns)
    assert found[0].detail == "2 sessions without bars"


def test_missing_minutes_are_found_at_the_first_missing_close(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = minute_bars()
    missing = rows[100]["ts"]
    del rows[100:104]
    found = findings(connection, rows, Resolution.MINUTE)
    assert only(found) == ("missing_minutes", missing)
    assert found[0].detail == "4 minutes without bars"


@pytest.mark.parametrize(
    ("cut", "first_missing"),
    [
        pytest.param(slice(0, 3), SESSIONS[0].open_ns + MINUTE, id="after the open"),
        pytest.param(slice(387, 390), SESSIONS[0].close_ns - 2 * MINUTE, id="before the close"),
    ],
)
def test_missing_minutes_are_found_at_the_edges_of_a_session(
    connection: duckdb.DuckDBPyConnection, cut: slice, first_missing: int
) -> None:
    rows = minute_bars()
    del rows[cut]
    found = findings(connection, rows, Resolution.MINUTE)
    assert only(found) == ("missing_minutes", first_missing)


def test_holes_of_a_thinly_traded_day_are_normal(connection: duckdb.DuckDBPyConnection) -> None:
    assert findings(connection, minute_bars()[::7], Resolution.MINUTE) == []


def test_a_daily_bar_beside_its_close_is_found(connection: duckdb.DuckDBPyConnection) -> None:
    rows = daily_bars()
    rows[5]["ts"] -= MINUTE
    found = findings(connection, rows, Resolution.DAY)
    assert only(found) == ("out_of_session", rows[5]["ts"])
    assert found[0].detail == "not the close of its session"


def test_a_daily_bar_of_a_holiday_is_found(connection: duckdb.DuckDBPyConnection) -> None:
    # Good Friday 2014-04-18, 16:00 New York.
    holiday = int(dt.datetime(2014, 4, 18, 20, tzinfo=dt.UTC).timestamp()) * 10**9
    rows = [*daily_bars(), bar(holiday, 100, 1_000)]
    assert only(findings(connection, rows, Resolution.DAY)) == ("out_of_session", holiday)


def test_a_minute_bar_of_the_night_is_found(connection: duckdb.DuckDBPyConnection) -> None:
    night = SESSIONS[0].open_ns - 6 * 60 * MINUTE
    found = findings(connection, [bar(night, 100, 500), *minute_bars()], Resolution.MINUTE)
    assert only(found) == ("out_of_session", night)


def test_a_bar_before_the_open_is_worth_knowing(connection: duckdb.DuckDBPyConnection) -> None:
    early = SESSIONS[0].open_ns
    found = findings(connection, [bar(early, 100, 500), *minute_bars()], Resolution.MINUTE)
    assert only(found) == ("extended_hours", early)
    assert found[0].severity == "info"


def test_a_price_of_zero_is_found(connection: duckdb.DuckDBPyConnection) -> None:
    rows = daily_bars()
    rows[5]["low"] = 0
    assert only(findings(connection, rows, Resolution.DAY)) == (
        "non_positive_price",
        rows[5]["ts"],
    )


@pytest.mark.parametrize(("name", "price"), [("high", 99), ("low", 101.2), ("open", 102)])
def test_an_inverted_bar_is_found(
    connection: duckdb.DuckDBPyConnection, name: str, price: float
) -> None:
    rows = daily_bars()
    rows[5][name] = price
    assert only(findings(connection, rows, Resolution.DAY)) == ("inverted_bar", rows[5]["ts"])


def test_a_day_without_volume_is_found(connection: duckdb.DuckDBPyConnection) -> None:
    rows = daily_bars()
    rows[5]["volume"] = 0
    assert only(findings(connection, rows, Resolution.DAY)) == ("zero_volume", rows[5]["ts"])


def test_a_run_of_equal_closes_is_found(connection: duckdb.DuckDBPyConnection) -> None:
    rows = daily_bars()
    for row in rows[10:16]:
        row["close"] = 100.3
    found = findings(connection, rows, Resolution.DAY)
    assert only(found) == ("stale", rows[10]["ts"])
    assert found[0].detail.startswith("6 bars in a row")


def test_one_equal_close_fewer_is_not_stale(connection: duckdb.DuckDBPyConnection) -> None:
    rows = daily_bars()
    for row in rows[10:15]:
        row["close"] = 100.3
    assert findings(connection, rows, Resolution.DAY) == []


def test_a_bad_print_is_one_outlier_not_two(connection: duckdb.DuckDBPyConnection) -> None:
    rows = daily_bars()
    # Session 29 closed at 101, so 131.30 is +30 %; session 31 is back at 100.25.
    rows[30].update(high=132, close=131.3)
    found = findings(connection, rows, Resolution.DAY)
    assert only(found) == ("outlier", rows[30]["ts"])
    assert found[0].detail == "return 30.0 %"


def test_a_bad_minute_is_an_outlier(connection: duckdb.DuckDBPyConnection) -> None:
    rows = minute_bars()
    rows[200].update(high=106, close=105)
    assert only(findings(connection, rows, Resolution.MINUTE)) == ("outlier", rows[200]["ts"])


def halved(volume_factor: int) -> list[Row]:
    """Daily bars whose prices halve from session 30 on."""
    rows = daily_bars()
    for row in rows[30:]:
        row.update({name: row[name] / 2 for name in ("open", "high", "low", "close")})
        row["volume"] *= volume_factor
    return rows


def split_on(day: dt.date) -> CorporateAction:
    return CorporateAction(
        symbol="A", ex_date=day, kind=ActionKind.SPLIT, numerator=2, denominator=1
    )


def test_a_split_that_nobody_recorded_is_found(connection: duckdb.DuckDBPyConnection) -> None:
    found = findings(connection, halved(volume_factor=2), Resolution.DAY)
    assert only(found) == ("suspected_split", SESSIONS[30].close_ns)
    assert "2:1" in found[0].detail


def test_a_halved_price_at_the_old_volume_is_only_split_like(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    found = findings(connection, halved(volume_factor=1), Resolution.DAY)
    assert only(found) == ("split_like_jump", SESSIONS[30].close_ns)
    assert found[0].severity == "warning"


def test_a_split_on_file_explains_the_jump(connection: duckdb.DuckDBPyConnection) -> None:
    rows = halved(volume_factor=2)
    assert findings(connection, rows, Resolution.DAY, [split_on(SESSIONS[30].day)]) == []


def test_a_split_on_file_of_another_day_explains_nothing(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = halved(volume_factor=2)
    found = findings(connection, rows, Resolution.DAY, [split_on(SESSIONS[20].day)])
    # The jump stays unexplained, and the split on file makes an outlier of its own quiet day.
    assert [one.rule for one in found] == ["suspected_split", "outlier"]
    assert found[1].ts == SESSIONS[20].close_ns


def test_a_large_dividend_explains_its_drop(connection: duckdb.DuckDBPyConnection) -> None:
    rows = daily_bars()
    for row in rows[30:]:
        row.update({name: row[name] - 20 for name in ("open", "high", "low", "close")})
    dividend = CorporateAction(
        symbol="A", ex_date=SESSIONS[30].day, kind=ActionKind.DIVIDEND, amount=nanos(20)
    )
    assert only(findings(connection, rows, Resolution.DAY)) == ("outlier", SESSIONS[30].close_ns)
    assert findings(connection, rows, Resolution.DAY, [dividend]) == []


def test_an_unrecorded_split_between_minute_bars_is_found(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = minute_bars(days=20)
    for row in rows[10 * 390 :]:
        row.update({name: row[name] / 7 for name in ("open", "high", "low", "close")})
        row["volume"] *= 7
    found = findings(connection, rows, Resolution.MINUTE)
    assert only(found) == ("suspected_split", SESSIONS[10].open_ns + MINUTE)


def test_a_crossed_quote_is_found(connection: duckdb.DuckDBPyConnection) -> None:
    ts = SESSIONS[0].open_ns + 1
    assert only(findings(connection, [quote(ts, 100.02, 100.01)], None)) == ("crossed_quote", ts)


def test_a_locked_quote_is_worth_knowing(connection: duckdb.DuckDBPyConnection) -> None:
    ts = SESSIONS[0].open_ns + 1
    assert only(findings(connection, [quote(ts, 100.01, 100.01)], None)) == ("locked_quote", ts)


def test_a_crossed_quote_before_the_open_is_common(connection: duckdb.DuckDBPyConnection) -> None:
    assert findings(connection, [quote(SESSIONS[0].open_ns, 100.02, 100.01)], None) == []


def test_a_quote_of_the_night_is_found(connection: duckdb.DuckDBPyConnection) -> None:
    ts = SESSIONS[0].open_ns - 6 * 60 * MINUTE
    assert only(findings(connection, [quote(ts, 100, 100.01)], None)) == ("out_of_session", ts)
