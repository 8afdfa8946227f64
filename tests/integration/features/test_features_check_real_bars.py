"""The declared features keep their promises on real bars, with their dirt and their splits."""

from pathlib import Path

import pytest

from tradingd.app.data import import_history
from tradingd.app.featuring.checked import check_features
from tradingd.config.load import load
from tradingd.sources.make import make_source

MINUTES = ("features=minute", "features.benchmark=SPY")
QUOTED = (
    "features.declared.spread={kind: spread_bps}",
    "features.declared.imbalance={kind: quote_imbalance}",
)
COMPARED = (
    "features.declared.beta={kind: beta, bars: 60}",
    "features.declared.strength={kind: relative_strength, bars: 60}",
    "features.declared.residual={kind: residual_return, bars: 60}",
)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("words", "symbols"),
    [
        (("features=daily", "features.benchmark=SPY", *COMPARED), ("AAPL", "BAC", "IBM", "SPY")),
        ((*MINUTES, *COMPARED, *QUOTED), ("AAPL", "SPY")),
    ],
    ids=["daily", "minute"],
)
def test_every_declared_feature_is_proved_on_real_bars(real_data: Path, tmp_path, words, symbols):
    resolution = "1m" if "features=minute" in words else "1d"
    quoted = ",".join(symbols)
    config = load(
        [
            "source=lean",
            f"source.path={real_data / 'lean'}",
            f"source.symbols=[{quoted}]",
            f"store.root={tmp_path}",
            *words,
        ]
    ).config
    import_history(config, make_source(config.source))
    found = check_features(config, symbols=symbols, bars=1_500, cuts=4)
    assert found.report.bars == resolution
    assert {one.name: one.problems for one in found.report.features if one.problems} == {}
    assert len(found.report.features) >= 43
