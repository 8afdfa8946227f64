import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from signal import SIGINT, raise_signal
from typing import Any

import pytest

from tests.fakes.vendor_market import (
    JANUARY,
    Damage,
    Massive,
    Tiingo,
    standing,
    tripled,
    twice,
    until,
    untouched,
    without,
)
from tests.fakes.vendor_server import Asked, Reply, VendorServer, vendor_server
from tradingd.cli.main import tradingd
from tradingd.domain.market import DataKind, Resolution
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the machine's configuration nor its store, and keys that open nothing."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRADINGD_CONF", str(tmp_path / "overlay"))
    monkeypatch.setenv("TIINGO_API_KEY", "tiingo-key-of-the-test")
    monkeypatch.setenv("MASSIVE_API_KEY", "massive-key-of-the-test")
    (tmp_path / "overlay").mkdir()


class Site:
    """Two vendors of one market, and a store."""

    def __init__(self, store: Path, primary: VendorServer, fallback: VendorServer) -> None:
        self.store = Store(store)
        self.primary_server = primary
        self.fallback_server = fallback
        self.primary: Tiingo = primary.answer  # type: ignore[assignment]
        self.fallback: Massive = fallback.answer  # type: ignore[assignment]
        self.sources = [
            f"{{kind: tiingo, endpoint: '{primary.url}', tries: 1}}",
            f"{{kind: massive, endpoint: '{fallback.url}', tries: 1, requests_per_minute: 1000}}",
        ]

    def words(self, *more: str, symbols: tuple[str, ...] = ("AAA",)) -> list[str]:
        return [
            "data",
            "sync",
            f"store.root={self.store.root}",
            f"sync.sources=[{','.join(self.sources)}]",
            "sync.start=2024-01-01",
            "sync.end=2024-01-31",
            f"sync.symbols=[{','.join(symbols)}]",
            *more,
        ]

    def closes(self, symbol: str = "AAA") -> list[Decimal]:
        table = self.store.read(DataKind.BARS, symbol, Resolution.DAY)
        return [close.normalize() for close in table["close"].to_pylist()]

    def days(self, symbol: str = "AAA") -> list[dt.date]:
        table = self.store.read(DataKind.BARS, symbol, Resolution.DAY)
        return [stamp.date() for stamp in table["ts_event"].to_pylist()]

    def stored(self) -> bool:
        return bool(self.store.symbols(DataKind.BARS))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with vendor_server(Tiingo()) as primary, vendor_server(Massive()) as fallback:
        yield Site(tmp_path / "store", primary, fallback)


def synced(
    site: Site, capsys: pytest.CaptureFixture[str], *more: str, **named: Any
) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = tradingd([*site.words(*more, **named), "--json"])
    return code, json.loads(capsys.readouterr().out)


def only_range(report: dict[str, Any]) -> dict[str, Any]:
    (one,) = report["ranges"]
    found: dict[str, Any] = one
    return found


def test_a_clean_primary_fills_what_is_missing_and_the_fallback_is_not_asked(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = synced(site, capsys)
    assert code == 0
    assert only_range(report)["outcome"] == "stored"
    assert report["by_source"] == {"tiingo": 1}
    assert site.days() == JANUARY
    assert site.fallback_server.asked == []


def test_a_second_sync_asks_for_nothing(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    synced(site, capsys)
    asked = len(site.primary_server.asked)
    code, report = synced(site, capsys)
    assert (code, report["ranges"], report["complete"]) == (0, [], 1)
    assert len(site.primary_server.asked) == asked


def test_only_the_missing_days_are_asked_for(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    synced(site, capsys, "sync.end=2024-01-10")
    code, report = synced(site, capsys)
    assert code == 0
    one = only_range(report)
    assert (one["first"], one["last"], one["sessions"]) == ("2024-01-11", "2024-01-31", 14)
    assert site.days() == JANUARY


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        pytest.param(without(17), "coverage 2024-01-17 (1 of 21", id="a hole"),
        pytest.param(until(26), "coverage", id="a tail that is missing"),
        pytest.param(tripled(17), "outlier", id="an outlier"),
        pytest.param(twice(17), "repeated_time", id="a duplicate"),
        pytest.param(standing(18), "stale", id="a stale tail"),
        pytest.param(
            lambda rows: [(dt.date(2024, 1, 15), *rows[9][1:]), *rows],
            "out_of_session",
            id="a bar on a holiday",
        ),
    ],
)
def test_what_the_primary_gets_wrong_is_taken_from_the_fallback(
    site: Site, capsys: pytest.CaptureFixture[str], damage: Damage, rule: str
) -> None:
    site.primary.damage = damage
    code, report = synced(site, capsys)
    assert code == 0
    one = only_range(report)
    assert (one["outcome"], one["source"]) == ("stored", "massive")
    assert rule in one["attempts"][0]["why"]
    assert site.days() == JANUARY
    assert len(set(site.closes())) > 10
    assert max(site.closes()) < 110


def test_a_hole_counts_also_where_less_coverage_is_asked_for(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.primary.damage = without(17)
    code, report = synced(site, capsys, "sync.min_coverage=50")
    assert (code, only_range(report)["source"]) == (0, "massive")
    assert "missing_session 2024-01-17" in only_range(report)["attempts"][0]["why"]


def test_a_listing_that_began_later_passes_where_less_coverage_is_asked_for(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.primary.damage = without(2, 3, 4)
    code, report = synced(site, capsys, "sync.min_coverage=50")
    assert (code, only_range(report)["source"]) == (0, "tiingo")


def test_an_answer_that_cannot_be_read_is_no_answer(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.primary_server.answer = lambda _asked: Reply(b"<html>maintenance</html>")
    code, report = synced(site, capsys)
    assert (code, only_range(report)["source"]) == (0, "massive")
    assert only_range(report)["attempts"][0]["answer"] == "failed"


def test_a_killed_sync_is_completed_by_the_next_one(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(asked: Asked) -> Reply:
        if "BBB" in asked.path:
            raise_signal(SIGINT)
        return site.primary(asked)

    site.primary_server.answer = stop
    assert tradingd(site.words(symbols=("AAA", "BBB"))) == ExitCode.INTERRUPTED
    assert site.days() == JANUARY
    site.primary_server.answer = site.primary
    code, report = synced(site, capsys, symbols=("AAA", "BBB"))
    assert (code, report["complete"], only_range(report)["symbol"]) == (0, 1, "BBB")


def test_a_primary_that_is_down_is_replaced(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.primary.down = True
    code, report = synced(site, capsys)
    assert code == 0
    assert only_range(report)["source"] == "massive"
    assert "HTTP 503" in only_range(report)["attempts"][0]["why"]
    assert site.days() == JANUARY


def test_a_source_that_stays_silent_is_not_asked_for_every_range(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.primary.down = True
    site.fallback.known |= {"CCC", "DDD"}
    code, report = synced(site, capsys, symbols=("AAA", "BBB", "CCC", "DDD"))
    assert code == 0
    assert len(site.primary_server.asked) == 2
    assert "tiingo" in report["put_aside"]
    assert report["by_source"] == {"massive": 4}
    why = {one["symbol"]: one["attempts"][0]["why"] for one in report["ranges"]}
    assert why["DDD"].startswith("not asked after 2 without an answer, the last for AAA: ")
    assert "HTTP 503" in why["DDD"]


def test_what_no_source_gets_right_is_refused_and_nothing_is_stored(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.primary.damage, site.fallback.damage = without(17), tripled(23)
    code, report = synced(site, capsys)
    assert code == ExitCode.QUALITY
    one = only_range(report)
    assert (one["outcome"], one["source"], one["rows_new"]) == ("refused", "", 0)
    assert [attempt["answer"] for attempt in one["attempts"]] == ["dirty", "dirty"]
    assert not site.stored()


def test_the_best_of_bad_sources_is_stored_with_a_flag_where_that_is_wanted(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.primary.damage, site.fallback.damage = without(4, 5, 17), tripled(23)
    code, report = synced(site, capsys, "sync.none_clean=take_best")
    assert code == 0
    assert (only_range(report)["outcome"], only_range(report)["source"]) == ("flagged", "massive")
    assert tradingd(["data", "provenance", "AAA", f"store.root={site.store.root}", "--json"]) == 0
    (origin,) = json.loads(capsys.readouterr().out)["origins"]
    assert (origin["source"], origin["verdict"]) == ("massive", "flagged")
    assert "outlier" in origin["note"]


def test_rows_that_cannot_be_are_not_stored_whatever_is_wanted(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.primary.damage = site.fallback.damage = lambda rows: [
        (dt.date(2024, 1, 15), *rows[9][1:]),
        *rows,
    ]
    code, _ = synced(site, capsys, "sync.none_clean=take_best")
    assert code == ExitCode.QUALITY
    assert not site.stored()


def test_a_jump_that_both_vendors_show_is_believed(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.primary.damage = site.fallback.damage = tripled(23)
    code, report = synced(site, capsys)
    assert code == 0
    assert (only_range(report)["outcome"], only_range(report)["source"]) == ("confirmed", "tiingo")
    assert max(site.closes()) > 300


def test_a_jump_at_the_seam_to_what_is_stored_is_found(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    synced(site, capsys, "sync.end=2024-01-17")
    site.primary.damage = lambda rows: [
        (day, *(price / 2 for price in prices), volume) for day, *prices, volume in rows
    ]
    code, report = synced(site, capsys)
    assert code == 0
    assert only_range(report)["source"] == "massive"
    assert min(site.closes()) >= 100


def test_a_split_the_source_tells_is_no_jump_and_is_kept(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.primary.splits = {dt.date(2024, 1, 18): "2.0"}
    site.primary.damage = lambda rows: [
        (day, *(price / (2 if day.day >= 18 else 1) for price in prices), volume)
        for day, *prices, volume in rows
    ]
    code, report = synced(site, capsys)
    assert (code, only_range(report)["source"], report["actions"]) == (0, "tiingo", 1)
    (split,) = site.store.actions(["AAA"])
    assert (split.numerator, split.denominator, split.source) == (2, 1, "tiingo")


def test_an_unknown_symbol_is_told_and_does_not_stop_the_others(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.sources = site.sources[:1]
    code, report = synced(site, capsys, symbols=("AAA", "ZZZ"))
    assert code == ExitCode.UNKNOWN_SYMBOL
    assert {one["symbol"]: one["outcome"] for one in report["ranges"]} == {
        "AAA": "stored",
        "ZZZ": "unknown",
    }


def test_a_range_nobody_answers_ends_with_its_own_exit_code(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.primary.down = site.fallback.down = True
    code, report = synced(site, capsys)
    assert code == ExitCode.SOURCE
    assert only_range(report)["outcome"] == "failed"
    assert report["actions_missing"] == ["AAA"]
    site.primary.down = False
    code, _ = synced(site, capsys)
    assert (code, site.days()) == (0, JANUARY)


def test_a_source_without_its_key_is_passed_over_and_all_without_are_refused(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TIINGO_API_KEY")
    code, report = synced(site, capsys)
    assert (code, only_range(report)["source"]) == (0, "massive")
    assert "env:TIINGO_API_KEY" in report["put_aside"]["tiingo"]
    monkeypatch.delenv("MASSIVE_API_KEY")
    assert tradingd(site.words("sync.refresh=1")) == ExitCode.CONFIG
    assert "TIINGO_API_KEY" in capsys.readouterr().err


def test_a_refresh_revises_what_the_vendor_corrected(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    synced(site, capsys)
    site.primary.damage = lambda rows: [
        (day, *prices[:3], prices[3] + (1 if day.day == 31 else 0), volume)
        for day, *prices, volume in rows
    ]
    code, report = synced(site, capsys, "sync.refresh=2")
    assert (code, report["rows_revised"], report["rows_same"]) == (0, 1, 1)


def test_a_dry_run_asks_nobody_and_stores_nothing(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = synced(site, capsys, "--dry-run")
    assert (code, only_range(report)["outcome"], report["dry_run"]) == (0, "planned", True)
    assert site.primary_server.asked == []
    assert not site.store.root.exists()


def test_provenance_tells_which_source_filled_which_rows(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    synced(site, capsys, "sync.end=2024-01-10")
    site.primary.damage = without(17)
    synced(site, capsys, "sync.end=2024-01-19")
    site.primary.damage = untouched
    synced(site, capsys)
    assert tradingd(["data", "compact", f"store.root={site.store.root}"]) == 0
    capsys.readouterr()
    assert tradingd(["data", "provenance", "AAA", f"store.root={site.store.root}", "--json"]) == 0
    origins = json.loads(capsys.readouterr().out)["origins"]
    assert [
        (one["source"], one["first"][:10], one["last"][:10], one["rows"], one["verdict"])
        for one in origins
    ] == [
        ("tiingo", "2024-01-02", "2024-01-10", 7, "clean"),
        ("massive", "2024-01-11", "2024-01-19", 6, "clean"),
        ("tiingo", "2024-01-22", "2024-01-31", 8, "clean"),
    ]
    assert "coverage 2024-01-17" in origins[1]["note"]


def test_the_screen_ends_in_one_summary_line_and_shows_no_key(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.primary.damage = without(17)
    assert tradingd(site.words()) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[-1].startswith("SUMMARY resolution=1d first=2024-01-02")
    assert "coverage 2024-01-17" in shown.out
    assert "key-of-the-test" not in shown.out + shown.err


def test_an_override_after_the_symbols_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert tradingd(["data", "sync", "--symbols", "AAA", "sync.days=3"]) == ExitCode.USAGE
    assert "put overrides before --symbols" in capsys.readouterr().err


def test_days_the_wrong_way_round_are_a_matter_of_configuration(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["sync.symbols=[AAA]", "sync.start=2024-02-01", "sync.end=2024-01-01"]
    assert tradingd(["data", "sync", *words]) == ExitCode.CONFIG
    assert "sync.end" in capsys.readouterr().err


def test_nothing_to_keep_complete_is_refused(tmp_path: Path) -> None:
    assert tradingd(["data", "sync", f"store.root={tmp_path / 'none'}"]) == ExitCode.NO_DATA


@pytest.mark.parametrize("word", ["source=tiingo", "source.feed=sip"])
def test_a_source_that_a_sync_would_not_ask_is_refused(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tradingd(["data", "sync", "--dry-run", word]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert f"found: {word} | next: 'sync.sources=[{{kind: " in told
