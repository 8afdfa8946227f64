"""Whole configurations are loaded from real files, overlays and command lines."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobRuntime

from tradingd.config.load import load
from tradingd.config.trees import find_overlay, packaged_tree
from tradingd.kits.failure import ExitCode, Failure


def _write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _refused(overlay: Path, *overrides: str) -> Failure:
    with pytest.raises(Failure) as refused:
        load(overrides, overlay=overlay)
    assert refused.value.code is ExitCode.CONFIG
    assert "\n" not in refused.value.line()
    return refused.value


def test_paper_is_the_default_mode() -> None:
    assert load().tree["mode"]["kind"] == "paper"


def test_an_overlay_file_takes_the_place_of_the_packaged_one(tmp_path: Path) -> None:
    _write(tmp_path, "risk/open.yaml", "profile: site-open\n")
    risk = load(["risk=open"], overlay=tmp_path).config.risk
    assert (risk.profile, risk.drawdown_percent) == ("site-open", 2.0)


def test_site_yaml_wins_over_files_key_by_key_and_the_command_line_over_both(
    tmp_path: Path,
) -> None:
    _write(tmp_path, "risk/mine.yaml", "profile: mine\nloss_streak: 4\nmax_positions: 5\n")
    _write(tmp_path, "site.yaml", "risk: {loss_streak: 6, max_positions: 7}\n")
    risk = load(["risk=mine", "risk.max_positions=8"], overlay=tmp_path).config.risk
    assert (risk.profile, risk.loss_streak, risk.max_positions) == ("mine", 6, 8)


def test_an_overlay_may_bring_its_own_root(tmp_path: Path) -> None:
    root = (packaged_tree() / "config.yaml").read_text()
    _write(tmp_path, "config.yaml", root.replace("risk: default", "risk: open"))
    assert load(overlay=tmp_path).config.risk.profile == "open"
    assert load(["risk=intraday"], overlay=tmp_path).config.risk.profile == "intraday"


def test_the_overlay_is_found_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, "site.yaml", "seed: 11\n")
    monkeypatch.setenv("TRADINGD_CONF", str(tmp_path))
    assert load().config.seed == 11


def test_a_named_overlay_that_does_not_exist_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--overlay" in _refused(tmp_path / "absent").where
    monkeypatch.setenv("TRADINGD_CONF", str(tmp_path / "absent"))
    with pytest.raises(Failure) as refused:
        find_overlay(None)
    assert refused.value.where == "TRADINGD_CONF"


def test_an_overlays_path_may_hold_any_character(tmp_path: Path) -> None:
    folder = tmp_path / "it's a {site}, [really] = $HOME ünï"
    _write(folder, "site.yaml", "seed: 12\n")
    assert load(overlay=folder).config.seed == 12


def test_a_misspelt_key_in_an_overlay_is_refused_by_file_line_and_nearest_name(
    tmp_path: Path,
) -> None:
    file = _write(tmp_path, "site.yaml", "# ours\nrisk:\n  drawdown_percnt: 3\n")
    failure = _refused(tmp_path)
    assert failure.where == f"{file}:3: risk.drawdown_percnt"
    assert failure.next_step == "did you mean risk.drawdown_percent?"


def test_a_misspelt_key_in_an_overlays_option_is_refused_by_its_file(tmp_path: Path) -> None:
    file = _write(tmp_path, "strategy/swing_trend.yaml", "kind: swing_trend\nfst: 5\n")
    failure = _refused(tmp_path)
    assert failure.where == f"{file}:2: strategy.fst"
    assert failure.next_step == "did you mean strategy.fast?"


def test_a_misspelt_key_on_the_command_line_is_refused_as_such(tmp_path: Path) -> None:
    assert _refused(tmp_path, "strategy.fst=5").where == "command line: strategy.fst"


def test_the_strongest_layer_is_blamed(tmp_path: Path) -> None:
    file = _write(tmp_path, "site.yaml", "risk: {loss_streak: many}\n")
    assert _refused(tmp_path).where == f"{file}:1: risk.loss_streak"
    assert _refused(tmp_path, "risk.loss_streak=few").where == "command line: risk.loss_streak"
    assert load(["risk.loss_streak=2"], overlay=tmp_path).config.risk.loss_streak == 2


@pytest.mark.parametrize(
    ("override", "suggestion"),
    [
        ("strategy=ema_cros", "did you mean strategy=ema_cross?"),
        ("risk=opn", "did you mean risk=open?"),
        ("hydra/launcher=joblob", "did you mean hydra/launcher=joblib?"),
        ("risk.margin_regime=autoo", "did you mean risk.margin_regime=auto?"),
        ("stratgy.fast=5", "did you mean strategy?"),
        ("universe.symbols=SPY", "did you mean universe.kind?"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(
    override: str, suggestion: str, tmp_path: Path
) -> None:
    failure = _refused(tmp_path, override)
    assert "command line" in failure.where
    if override != "universe.symbols=SPY":
        assert failure.next_step == suggestion


def test_an_unknown_option_lists_the_overlays_options_too(tmp_path: Path) -> None:
    _write(tmp_path, "risk/mine.yaml", "profile: mine\n")
    assert "mine" in _refused(tmp_path, "risk=mne").expected


def test_an_unknown_option_in_a_root_file_names_that_file(tmp_path: Path) -> None:
    root = (packaged_tree() / "config.yaml").read_text()
    file = _write(tmp_path, "config.yaml", root.replace("risk: default", "risk: defalt"))
    failure = _refused(tmp_path)
    assert failure.where == f"{file}: risk"
    assert failure.next_step == "did you mean risk=default?"


def test_a_group_left_out_of_the_root_is_missing(tmp_path: Path) -> None:
    file = _write(tmp_path, "config.yaml", "defaults: [{mode: paper}, _self_, site]\n")
    failure = _refused(tmp_path)
    assert failure.what == "the group broker is missing"
    assert str(file) in failure.where


def test_a_deleted_group_is_missing(tmp_path: Path) -> None:
    assert _refused(tmp_path, "~strategy").what == "the group strategy is missing"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("risk:\n  loss_streak: [3\n", 3),
        ("risk:\n  loss_streak: 3\n  loss_streak: 4\n", 3),
        ("risk:\n\t- 3\n", 2),
    ],
    ids=["open bracket", "key stated twice", "tab"],
)
def test_yaml_that_cannot_be_read_is_refused_with_file_and_line(
    text: str, line: int, tmp_path: Path
) -> None:
    file = _write(tmp_path, "site.yaml", text)
    assert _refused(tmp_path).where == f"{file}:{line}"


@pytest.mark.parametrize(
    "text", ["- a\n- list\n", "risk: 3\n", "risk: null\n", "broker: {5: 3}\n", "just text\n"]
)
def test_yaml_of_the_wrong_shape_is_refused_by_its_file(text: str, tmp_path: Path) -> None:
    file = _write(tmp_path, "site.yaml", text)
    assert str(file) in _refused(tmp_path).where


@pytest.mark.parametrize(
    ("text", "place"), [("seed: ${oc.env:NO_SUCH}\n", ":1: seed"), ("seed: ${nope}\n", ":1: seed")]
)
def test_an_interpolation_that_leads_nowhere_is_refused(
    text: str, place: str, tmp_path: Path
) -> None:
    file = _write(tmp_path, "site.yaml", text)
    assert _refused(tmp_path).where == f"{file}{place}"


@pytest.mark.parametrize(
    "override",
    [
        "strategy.fast=5,10",
        "strategy.fast=range(1,5)",
        "strategy.fast=[1",
        "strategy.fast={",
        "strategy.fast=${x",
        "risk={a: 1}",
        "risk=null",
        "risk=",
        "risk=[default,open]",
        "~nothing",
        "strategy.fast.slow=3",
        "risk..x=1",
        ".risk=1",
        "universe=symbols",
    ],
)
def test_an_override_that_makes_no_sense_is_a_refusal_and_no_traceback(
    override: str, tmp_path: Path
) -> None:
    _refused(tmp_path, override)


@pytest.mark.parametrize(
    "override",
    [
        "broker.secret_key=hunter2",
        "broker.secret_key=12345678",
        "broker.secret_key={hunter2",
        "broker.secret_key=hunter2,hunter3",
        "broker.secret_key=${hunter2}",
        "broker.secret_key=[hunter2]",
        "broker.secret_kye=hunter2",
        "broker.key_id=env:hunter2 with words",
    ],
)
def test_a_literal_secret_is_refused_and_never_repeated(override: str, tmp_path: Path) -> None:
    line = _refused(tmp_path, "broker=alpaca", override).line()
    assert "hunter2" not in line
    assert "12345678" not in line


def test_a_literal_secret_in_a_file_is_refused_and_never_repeated(tmp_path: Path) -> None:
    file = _write(tmp_path, "broker/alpaca.yaml", "kind: alpaca\nsecret_key: hunter2\n")
    failure = _refused(tmp_path, "broker=alpaca")
    assert failure.where == f"{file}:2: broker.secret_key"
    assert "hunter2" not in failure.line()


def test_a_nested_choice_keeps_its_default_kind_when_a_key_of_it_is_set() -> None:
    assert load(["execution.slippage.window=50"]).tree["execution"]["slippage"] == {
        "kind": "spread_volatility",
        "half_spread_bps": 1.0,
        "volatility_share": 0.05,
        "window": 50,
    }


def test_a_nested_choice_is_changed_by_its_kind() -> None:
    slippage = load(["execution.slippage.kind=fixed"]).tree["execution"]["slippage"]
    assert slippage == {"kind": "fixed", "basis_points": 2.0}


def test_a_custom_strategys_parameters_pass_through() -> None:
    custom = ["strategy=custom", "strategy.path=a.b:C", "strategy.params.deep={x: [1, 2.5, text]}"]
    assert load(custom).tree["strategy"]["params"] == {"deep": {"x": [1, 2.5, "text"]}}


def test_the_last_of_two_equal_overrides_wins() -> None:
    assert load(["seed=1", "seed=2"]).config.seed == 2


def test_loading_writes_no_file_and_changes_no_folder(tmp_path: Path) -> None:
    before = Path.cwd()
    load(["strategy=ema_cross"], overlay=tmp_path)
    assert Path.cwd() == before
    assert list(before.iterdir()) == []
    assert list(tmp_path.iterdir()) == [before]


def test_loading_leaves_hydras_own_state_as_it_was() -> None:
    marker = object()
    state, runtime = GlobalHydra.instance(), JobRuntime.instance()
    job = runtime.get("name")
    state.hydra = marker  # type: ignore[assignment]
    try:
        load()
        with pytest.raises(Failure):
            load(["risk=opn"])
        assert GlobalHydra.instance().hydra is marker
        assert runtime.get("name") == job
    finally:
        state.clear()


def test_threads_load_different_configurations_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        seeds = list(pool.map(lambda n: load([f"seed={n}"]).config.seed, range(40)))
    assert seeds == list(range(40))


@pytest.mark.parametrize("content", [b"seed: \xff\xfe\n", b"seed: \x00\n"], ids=["encoding", "NUL"])
def test_a_file_that_is_no_text_is_refused_by_its_name(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_bytes(content)
    assert _refused(tmp_path).where == str(file)
