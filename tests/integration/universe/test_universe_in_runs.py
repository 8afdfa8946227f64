"""Tiers in backtests, replays and sessions: who is read, and who may be entered when."""

import datetime as dt
import functools
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import tradingd.app.backtest as app
from tradingd.app import universe
from tradingd.app.sync.plan import symbols_of
from tradingd.app.trading.market import reference, session_feed, stored_bars
from tradingd.app.universe_members import tier_membership, tier_symbols, with_members
from tradingd.cli.universe import RefreshParams
from tradingd.cli.universe_run import run_refresh
from tradingd.config.load import Loaded, load
from tradingd.config.source import TabularSource
from tradingd.config.strategy import StrategyBase
from tradingd.domain.market import ActionKind, CorporateAction, ReferenceData, Resolution
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy
from tradingd.history.schema import BARS
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar, local_date
from tradingd.sources.make import make_source
from tradingd.universe import files

CALENDAR = SessionCalendar()
DAYS = [one.day for one in CALENDAR.between(dt.date(2023, 6, 1), dt.date(2023, 12, 29))]
FIRST, LAST = DAYS[80], DAYS[99]
"""The days that have files, but for the last one."""
DELISTED = DAYS[90]
NOON = 17 * 3_600 * 1_000_000_000


class Settings(StrategyBase, frozen=True, kw_only=True):
    """Nothing to set."""


class EachDay(Strategy):
    """Buys one share of everything at every close."""

    Settings = Settings

    def on_bar(self, bar):
        self.enter(self.symbol_of(bar), Side.BUY, 1, reason="daily")


def noon(day: dt.date) -> int:
    return int(dt.datetime(day.year, day.month, day.day, 17, tzinfo=dt.UTC).timestamp()) * 10**9


def bars(count: int, volume: int, start: int = 0) -> pa.Table:
    sessions = [one for one in CALENDAR.sessions if one.day in set(DAYS)][start : start + count]
    price = Decimal(50)
    columns = {
        "ts_event": [one.close_ns for one in sessions],
        "ts_init": [one.close_ns for one in sessions],
        "open": [price] * count,
        "high": [price + Decimal("0.5")] * count,
        "low": [price - Decimal("0.5")] * count,
        "close": [price + Decimal(number % 3) / 10 for number in range(count)],
        "volume": [volume] * count,
    }
    return pa.table({one.name: pa.array(columns[one.name], one.type) for one in BARS}, schema=BARS)


@functools.cache
def settings(home: Path, *words: str) -> Loaded:
    return load(
        [
            f"store.root={home / 'history'}",
            f"universe.core_size={3}",
            "universe.screen.max_spread_bps=10000",
            "risk=open",
            "strategy=custom",
            f"strategy.path={__name__}:EachDay",
            "strategy.bars=1d",
            *words,
        ],
        overlay=home,
    )


def backtested(home: Path, *words: str) -> Loaded:
    return settings(
        home, "universe=core", "mode=backtest", f"mode.results={home / 'runs'}",
        f"mode.start={FIRST}", f"mode.end={DAYS[98]}", *words,
    )  # fmt: skip


def live(home: Path, *words: str) -> Loaded:
    return settings(home, "universe=core", "feed=alpaca", "feed.data=iex", *words)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GONE is traded most until it is delisted; SMALL is traded least, and in the tier after."""
    folder = tmp_path_factory.mktemp("tiers")
    with Store(folder / "history").batch("hand-made") as batch:
        for symbol, volume in {"AAA": 800_000, "BBB": 700_000, "SMALL": 600_000}.items():
            batch.bars(Resolution.DAY, symbol, bars(100, volume))
        batch.bars(Resolution.DAY, "GONE", bars(90, 900_000))
        batch.actions([CorporateAction(symbol="GONE", ex_date=DELISTED, kind=ActionKind.DELISTING)])
        batch.reference(ReferenceData(earnings={"AAA": (DAYS[97],)}))
    universe.refresh(backtested(folder).config, 0, FIRST, LAST)
    return folder


def store_of(home: Path) -> Store:
    return Store(home / "history")


def members(home: Path, day: dt.date) -> set[str]:
    found = universe.show(backtested(home).config, noon(DAYS[-1]), day)
    return {one.symbol for one in found.rows}


def test_a_delisted_symbol_is_in_the_past_universe_and_not_in_the_later_one(home: Path) -> None:
    assert members(home, DAYS[89]) == {"GONE", "AAA", "BBB"}
    assert members(home, DELISTED) == {"AAA", "BBB", "SMALL"}
    row = universe.explain(backtested(home).config, noon(DAYS[-1]), "GONE", DELISTED).row
    assert row.rejected == ("listed",)


def test_a_run_reads_everyone_who_was_ever_a_member(home: Path) -> None:
    loaded = backtested(home)
    feed = app.open_feed(store_of(home), loaded.config, app.backtest_mode(loaded.config))
    assert list(feed.symbols()) == ["AAA", "BBB", "GONE", "SMALL"]


def test_the_blackout_takes_a_symbol_out_two_sessions_around_its_earnings(home: Path) -> None:
    out = [day for day in DAYS[80:100] if "AAA" not in members(home, day)]
    assert out == DAYS[95:100]


def test_entries_are_denied_outside_the_days_of_membership(home: Path) -> None:
    folder = Path(app.backtest(backtested(home)).folder)
    orders = pq.read_table(folder / "orders.parquet").to_pylist()
    by_symbol: dict[str, dict[str, list[dt.date]]] = {}
    for order in orders:
        verdict = order["denied_by"] or "sent"
        # Daily bars decide at the close for the next session.
        day = local_date(int(order["ts_submitted"].value))
        by_symbol.setdefault(order["symbol"], {}).setdefault(verdict, []).append(day)
    assert set(by_symbol["BBB"]) == {"sent"}
    assert set(by_symbol["GONE"]) == {"sent"}
    assert max(by_symbol["SMALL"]["outside_universe"]) < min(by_symbol["SMALL"]["sent"])
    gate = tier_membership(store_of(home), backtested(home).config, FIRST, DAYS[98])
    for symbol, verdicts in by_symbol.items():
        for verdict, days in verdicts.items():
            assert {gate.on(symbol, day) for day in days} == {verdict == "sent"}, symbol


def test_the_tier_only_chooses_bars_where_the_limit_allows(home: Path) -> None:
    folder = Path(app.backtest(backtested(home, "risk.outside_universe=allow")).folder)
    assert set(pq.read_table(folder / "orders.parquet")["denied_by"].to_pylist()) == {""}


def test_a_run_over_days_without_files_is_refused_with_the_command(home: Path) -> None:
    loaded = backtested(home, f"mode.start={DAYS[70]}")
    with pytest.raises(Failure) as caught:
        app.backtest(loaded)
    assert caught.value.code is ExitCode.NO_DATA
    assert "lacks 10 of 29" in str(caught.value)
    assert f"--start {DAYS[70]} --end {DAYS[79]}" in str(caught.value.next_step)
    assert not list((home / "runs").glob(f"*{DAYS[70]}*"))


def test_files_of_other_settings_are_not_mistaken_for_these(home: Path) -> None:
    with pytest.raises(Failure) as caught:
        app.backtest(backtested(home, "universe.window=10"))
    assert caught.value.code is ExitCode.NO_DATA


def test_the_extended_tier_reads_the_same_files(home: Path) -> None:
    config = backtested(home, "universe.tier=extended").config
    found = universe.show(config, noon(DAYS[-1]), DAYS[89])
    assert {one.symbol for one in found.rows} == {"GONE", "AAA", "BBB", "SMALL"}


def test_a_replay_reads_the_members_of_its_days_and_knows_when(home: Path) -> None:
    config = settings(
        home, "universe=core", "feed=replay", f"feed.start={DAYS[91]}", f"feed.end={DAYS[93]}"
    ).config
    replayed = stored_bars(config, Resolution.DAY, CALENDAR).between(DAYS[91], DAYS[93])
    assert list(replayed.symbols()) == ["AAA", "BBB", "SMALL"]
    known = reference(config, ["AAA"])
    assert known.members is not None
    assert known.members["AAA"] == ((DAYS[91], DAYS[93] + dt.timedelta(days=1)),)


def test_invented_bars_have_no_tiers(home: Path) -> None:
    config = settings(home, "universe=core", "feed=sample").config
    with pytest.raises(Failure) as caught:
        session_feed(config, CALENDAR, lambda name: pytest.fail(name))
    assert caught.value.code is ExitCode.CONFIG


def test_a_session_trades_the_members_of_today_and_keeps_bars_of_those_who_left(
    home: Path,
) -> None:
    config, today = live(home).config, DAYS[92]
    symbols = tier_symbols(store_of(home), config, noon(today))
    assert symbols == ["AAA", "BBB", "GONE", "SMALL"]
    known = with_members(ReferenceData(), store_of(home), config, noon(today))
    assert known.members is not None
    assert known.members["SMALL"][-1] == (DELISTED, DAYS[93])
    assert known.members["GONE"] == ((FIRST, DELISTED),)


def test_those_who_left_long_ago_are_not_kept(home: Path) -> None:
    config = live(home, "universe.linger_sessions=2").config
    assert "GONE" in tier_symbols(store_of(home), config, noon(DAYS[91]))
    assert "GONE" not in tier_symbols(store_of(home), config, noon(DAYS[92]))


def test_a_session_without_the_file_of_today_is_refused_with_the_next_step(home: Path) -> None:
    with pytest.raises(Failure) as caught:
        tier_symbols(store_of(home), live(home).config, noon(DAYS[100]))
    assert caught.value.code is ExitCode.NO_DATA
    assert f"the latest is {LAST}" in str(caught.value.found)
    assert "tradingd universe refresh" in str(caught.value.next_step)


def test_a_store_that_ends_too_early_makes_no_universe(home: Path) -> None:
    with pytest.raises(Failure) as caught:
        universe.refresh(backtested(home).config, 0, DAYS[103], DAYS[104])
    assert caught.value.code is ExitCode.NO_DATA
    assert str(DAYS[99]) in str(caught.value.found)
    folder = files.folder_of(home / "history", universe.require_tiers(backtested(home).config))
    assert files.days_with_files(folder)[-1] == LAST


def test_making_the_same_day_again_gives_the_same_bytes(home: Path) -> None:
    config = backtested(home).config
    path = files.folder_of(home / "history", universe.require_tiers(config)) / f"{LAST}.parquet"
    before = path.read_bytes()
    universe.refresh(config, noon(LAST))
    assert path.read_bytes() == before


def test_a_damaged_file_is_refused_with_the_command_that_mends_it(home: Path) -> None:
    config = backtested(home, "universe.window=12").config
    universe.refresh(config, 0, DAYS[95], DAYS[95])
    folder = files.folder_of(home / "history", universe.require_tiers(config))
    (folder / f"{DAYS[95]}.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(Failure) as caught:
        universe.show(config, noon(LAST), DAYS[95])
    assert caught.value.code is ExitCode.DAMAGED_PARQUET
    assert str(DAYS[95]) in str(caught.value.next_step)


def test_who_joined_and_left_is_told_by_day(home: Path) -> None:
    found = universe.history(backtested(home).config, DAYS[88], DAYS[91])
    changed = {one.day: (one.joined, one.left) for one in found.days if one.joined or one.left}
    assert changed == {DELISTED: (("SMALL",), ("GONE",))}
    assert found.ever == 4


def test_a_sync_keeps_every_candidate_complete(home: Path) -> None:
    config = backtested(home).config
    assert symbols_of(config, store_of(home)) == ["AAA", "BBB", "GONE", "SMALL"]


def test_an_unknown_symbol_is_refused_with_the_nearest(home: Path) -> None:
    with pytest.raises(Failure) as caught:
        universe.explain(backtested(home).config, noon(LAST), "SMAL", DAYS[89])
    assert caught.value.code is ExitCode.UNKNOWN_SYMBOL
    assert "SMALL" in str(caught.value.next_step)


def test_a_job_makes_files_only_where_the_universe_has_tiers(home: Path) -> None:
    words = (f"store.root={home / 'history'}",)
    done = run_refresh(RefreshParams(overrides=words, overlay=str(home), if_configured=True))
    assert done.days == 0
    with pytest.raises(Failure) as caught:
        run_refresh(
            RefreshParams(
                overrides=(*words, "universe=core"), overlay=str(home), if_configured=True
            )
        )
    # It tried, on a store that ends in 2023.
    assert caught.value.code is ExitCode.NO_DATA


@pytest.mark.real_data
def test_a_symbol_that_left_the_index_is_traded_before_and_not_after(
    real_data: Path, tmp_path: Path
) -> None:
    """AMD left the S&P 500 on 2013-09-20 and went on trading; nothing but the index changes."""
    table = pq.read_table(real_data / "sp500" / "sp500_daily_2013_2016.parquet")
    some = pc.is_in(table["name"], pa.array(["AMD", "AAPL", "MSFT"]))
    pq.write_table(table.filter(some), tmp_path / "some.parquet")
    source = make_source(
        TabularSource(
            path=str(tmp_path / "some.parquet"),
            adjusted=True,
            columns={"symbol": "name", "ts_event": "date"},
        )
    )
    with Store(tmp_path / "history").batch("sp500", adjusted=True) as batch:
        for task in source.tasks():
            for symbol, rows in task.load():
                batch.bars(Resolution.DAY, symbol, rows)
    start, end = dt.date(2013, 9, 3), dt.date(2013, 10, 31)
    loaded = settings(
        tmp_path,
        "universe=core",
        f"universe.membership={real_data / 'constituents' / 'history_sp500.csv'}",
        "universe.screen.min_price=1",
        "mode=backtest",
        f"mode.results={tmp_path / 'runs'}",
        f"mode.start={start}",
        f"mode.end={end}",
    )
    universe.refresh(loaded.config, 0, start, end)
    found = tier_membership(Store(tmp_path / "history"), loaded.config, start, end)
    in_tier = [one.day for one in CALENDAR.between(start, end) if found.on("AMD", one.day)]
    assert in_tier == [one.day for one in CALENDAR.between(start, dt.date(2013, 9, 19))]
    folder = Path(app.backtest(loaded).folder)
    mine = [
        order
        for order in pq.read_table(folder / "orders.parquet").to_pylist()
        if order["symbol"] == "AMD"
    ]
    assert [order["denied_by"] for order in mine] == [""] * len(in_tier) + ["outside_universe"] * (
        len(mine) - len(in_tier)
    )
    assert len(mine) > len(in_tier) > 10


@pytest.mark.real_data
def test_the_real_index_knows_those_that_are_gone(real_data: Path) -> None:
    """Ambac was a member until its fall in 2008; no list of today's members has it."""
    from tradingd.universe.members import read_membership

    found = read_membership(real_data / "constituents" / "history_sp500.csv")
    past, now = dt.date(2007, 1, 3), dt.date(2024, 1, 3)
    assert found.on("ABK", past)
    assert not found.on("ABK", now)
    assert "ABK" in found.ever(past, now)
    gone = [one for one in found.ever(past, past) if not found.on(one, now)]
    assert len(gone) > 100
    assert 480 < len(found.ever(now, now)) < 520
