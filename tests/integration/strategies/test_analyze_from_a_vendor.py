"""Signals over bars that a vendor is asked for at that moment."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradingd.app.analyze import analyze_signals
from tradingd.app.data import import_history, open_store
from tradingd.app.lookback import parse_duration
from tradingd.app.sim.server import Market, running
from tradingd.config.load import load
from tradingd.config.system import SystemConfig
from tradingd.domain.market import DataKind, Resolution
from tradingd.sources.make import make_source
from tradingd.vendors.alpaca.keys import Keys

KEYS = Keys("PKANALYZE", "shh")
LAST = dt.date(2013, 3, 1)  # still to be played, so nobody is told of it
LATER = int(dt.datetime(2013, 2, 28, 22, tzinfo=dt.UTC).timestamp()) * 1_000_000_000


@pytest.fixture
def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemConfig]:
    """A configuration whose source is a server that plays the embedded sample."""
    served = load((f"store.root={tmp_path / 'served'}",)).config
    import_history(served, make_source(served.source))
    monkeypatch.setenv("APCA_API_KEY_ID", KEYS.key_id)
    monkeypatch.setenv("APCA_API_SECRET_KEY", KEYS.secret)
    market = Market(
        store=tmp_path / "served", bars="1d", symbols=(), start=LAST, end=LAST, speed=1.0
    )
    with running(tmp_path / "server", market, KEYS) as endpoint:
        yield load(
            (
                f"store.root={tmp_path / 'mine'}",
                "source=alpaca",
                f"source.endpoint={endpoint.url}",
            )
        ).config


@pytest.mark.parametrize("save", [True, False])
def test_a_vendor_is_asked_for_the_bars_and_their_warm_up(asking: SystemConfig, save: bool) -> None:
    report = analyze_signals(
        asking,
        ["AAPL"],
        duration=parse_duration("5 D"),
        bar_size="1 day",
        save=save,
        wall=lambda: LATER,
    )
    assert (report.bars, report.fetched, report.saved) == (5, ("AAPL",), save)
    assert report.rows[-1].time.startswith("2013-02-28 16:00")
    assert report.rows[-1].ema_slow is not None, "the warm-up came along"
    kept = open_store(asking).symbols(DataKind.BARS, Resolution.DAY)
    assert list(kept) == (["AAPL"] if save else [])
