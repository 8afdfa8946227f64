"""Which changes of a configuration a running daemon takes, on the real packaged tree."""

from pathlib import Path

import pytest

from tradingd.config.load import load
from tradingd.daemon.reload import Plan, plan
from tradingd.kits.failure import ExitCode, Failure


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADINGD_CONF", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def planned(*words: str) -> Plan:
    return plan(load(), load(words))


def test_the_safe_subset_changes_and_protection_comes_first() -> None:
    found = planned(
        "telemetry.log_level=DEBUG",
        "alerts.page=[env:PAGER_URL]",
        "schedule.flatten_before_close_minutes=10",
        "supervision.broker_errors=5",
        "risk.gross_percent=50",
        "risk.max_positions=5",
    )
    assert [(one.key, one.new) for one in found.changes][2:] == [
        ("supervision.broker_errors", 5),
        ("schedule.flatten_before_close_minutes", 10),
        ("alerts.page", ["env:PAGER_URL"]),
        ("telemetry.log_level", "DEBUG"),
    ]
    assert {one.key for one in found.changes[:2]} == {"risk.gross_percent", "risk.max_positions"}
    assert found.groups == ("risk", "supervision", "schedule", "alerts", "telemetry")
    assert found.config.risk.max_positions == 5
    assert next(one for one in found.changes if one.key == "alerts.page").old == []


def test_the_same_configuration_changes_nothing() -> None:
    assert planned().changes == ()


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("mode.warm_up_bars=7",), "mode.warm_up_bars"),
        (("broker.half_spread_bps=2",), "broker.half_spread_bps"),
        (("feed.speed=9",), "feed.speed"),
        (("strategy=buy_and_hold",), "strategy."),
        (("telemetry.metrics_port=9200",), "telemetry.metrics_port"),
        (("seed=8",), "seed"),
        (("store.root=/elsewhere",), "store.root"),
        (("risk.gross_percent=50", "feed.speed=9"), "feed.speed"),
    ],
)
def test_anything_else_is_refused_whole_by_its_key_and_the_reason(
    words: tuple[str, ...], key: str
) -> None:
    with pytest.raises(Failure, match="cannot change while the daemon runs: ") as refused:
        planned(*words)
    assert refused.value.code is ExitCode.CONFIG
    assert refused.value.what.startswith(key)
    assert key in refused.value.where
    assert " -> " in refused.value.found
    assert "restart" in refused.value.next_step
