"""Names become strategies; what is wrong with a custom one is said in one line."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradingd.config.strategy import (
    BuyAndHold,
    CustomStrategy,
    EmaCross,
    IntradayMeanReversion,
    SwingTrend,
)
from tradingd.engine.strategy import Strategy
from tradingd.kits.failure import ExitCode, Failure
from tradingd.strategies import template
from tradingd.strategies.make import make_strategy

GOOD = """
from tradingd.config.strategy import StrategyBase
from tradingd.engine.strategy import Strategy

class Settings(StrategyBase, frozen=True, kw_only=True):
    window: int = 5
    level: float = 0.5

class Mine(Strategy):
    Settings = Settings

class NeedsMore(Strategy):
    class Settings(StrategyBase, frozen=True, kw_only=True):
        window: int

class Broken(Strategy):
    def __init__(self, settings):
        raise ZeroDivisionError("in the constructor")

class Unsettled(Strategy):
    Settings = dict

class NoStrategy:
    pass

number = 7
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with modules of a person's own; Python's path is put back after it."""
    known, path = set(sys.modules), list(sys.path)
    (tmp_path / "mine_for_test.py").write_text(GOOD)
    (tmp_path / "raising_for_test.py").write_text("1 / 0\n")
    (tmp_path / "needy_for_test.py").write_text("import a_package_that_is_not_there\n")
    (tmp_path / "typo_for_test.py").write_text("class Mine(:\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - known:
        if name.endswith("_for_test"):
            del sys.modules[name]


def custom(path: str, **params: object) -> CustomStrategy:
    return CustomStrategy(path=path, params=params, bars="1h")


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (EmaCross(), "ema_cross"),
        (IntradayMeanReversion(), "intraday_mean_reversion"),
        (SwingTrend(), "swing_trend"),
        (BuyAndHold(), "buy_and_hold"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_kind_makes_its_strategy_with_the_given_settings(config, name):
    made = make_strategy(config)
    assert isinstance(made, Strategy)
    assert made.settings is config
    assert made.name == name
    assert type(config) is made.Settings


@pytest.mark.usefixtures("folder")
def test_a_class_in_the_working_directory_is_found_and_its_params_decoded():
    made = make_strategy(custom("mine_for_test:Mine", window=9))
    assert type(made).__name__ == "Mine"
    assert (made.settings.window, made.settings.level, made.settings.bars) == (9, 0.5, "1h")


def test_a_class_on_pythons_path_is_found(folder, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copy(folder / "mine_for_test.py", elsewhere / "other_for_test.py")
    monkeypatch.syspath_prepend(elsewhere)
    assert type(make_strategy(custom("other_for_test:Mine"))).__name__ == "Mine"


def test_a_copy_of_the_template_runs_from_outside_the_package(folder):
    shutil.copy(Path(template.__file__), folder / "breakout_for_test.py")
    made = make_strategy(custom("breakout_for_test:Breakout", days=55))
    assert type(made) is not template.Breakout
    assert made.settings.days == 55


REFUSALS = [
    ("absent_for_test:Mine", {}, ["no module 'absent_for_test'"]),
    ("minefor_test:Mine", {}, ["no module 'minefor_test'", "did you mean mine_for_test?"]),
    ("mine_for_test.inner:Mine", {}, ["mine_for_test.inner"]),
    ("raising_for_test:Mine", {}, ["importing raising_for_test", "ZeroDivisionError"]),
    ("typo_for_test:Mine", {}, ["importing typo_for_test", "SyntaxError"]),
    ("needy_for_test:Mine", {}, ["importing needy_for_test", "a_package_that_is_not_there"]),
    ("mine_for_test:Mien", {}, ["has no Mien", "did you mean mine_for_test:Mine?"]),
    ("mine_for_test:NoStrategy", {}, ["is not a strategy", "subclass of tradingd.engine"]),
    ("mine_for_test:number", {}, ["is not a strategy", "type int"]),
    ("mine_for_test:Unsettled", {}, ["Settings is not a settings struct", "dict"]),
    (
        "mine_for_test:Mine",
        {"windw": 3},
        ["no key strategy.params.windw", "did you mean strategy.params.window?"],
    ),
    (
        "mine_for_test:Mine",
        {"window": "long"},
        ["strategy.params.window", "Expected `int`, got `str`", "'long'"],
    ),
    ("mine_for_test:NeedsMore", {}, ["strategy.params.window is missing"]),
    ("mine_for_test:Mine", {"bars": "1d"}, ["strategy.params.bars", "next: strategy.bars=1d"]),
]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("path", "params", "parts"), REFUSALS, ids=[str(r[0]) for r in REFUSALS])
def test_what_is_wrong_with_a_custom_strategy_is_one_clear_line(path, params, parts):
    with pytest.raises(Failure) as caught:
        make_strategy(custom(path, **params))
    assert caught.value.code is ExitCode.CONFIG
    line = caught.value.line()
    assert "\n" not in line
    for part in parts:
        assert part in line


@pytest.mark.usefixtures("folder")
def test_an_exception_in_the_constructor_is_the_strategys_failure_with_its_cause():
    with pytest.raises(Failure, match="in the constructor") as caught:
        make_strategy(custom("mine_for_test:Broken"))
    assert caught.value.code is ExitCode.STRATEGY_FAILED
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
