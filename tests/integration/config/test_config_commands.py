"""`tradingd config` as a person uses it."""

import json
from pathlib import Path

import pytest
import yaml

from tradingd.cli.main import tradingd
from tradingd.config.load import decode, load
from tradingd.config.schema import json_schema
from tradingd.kits.failure import ExitCode


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert tradingd(["config", *words]) == ExitCode.OK
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def _json(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    found = json.loads(_run(capsys, *words, "--json"))
    assert isinstance(found, dict)
    return found


def test_check_prints_one_line_with_the_hash(capsys: pytest.CaptureFixture[str]) -> None:
    out = _run(capsys, "check", "strategy=ema_cross", "risk=open")
    assert out.count("\n") == 1
    assert out.startswith("OK mode=paper broker=simulated strategy=ema_cross risk=open ")
    assert f"hash={load(['strategy=ema_cross', 'risk=open']).hash}" in out


def test_check_warns_of_what_a_session_would_refuse(capsys: pytest.CaptureFixture[str]) -> None:
    ok, warning = _run(capsys, "check", "mode=paper", "broker=alpaca", "feed=replay").splitlines()
    assert ok.startswith("OK mode=paper broker=alpaca ")
    assert warning.startswith("WARNING tradingd run refuses this: orders for a real broker need")
    assert "broker.kind; feed.kind" in warning
    assert "cannot trade yet" in _run(capsys, "check", "mode=paper", "broker=ibkr")
    assert "WARNING" not in _run(capsys, "check", "mode=backtest", "broker=alpaca", "feed=replay")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("strategy.fst=5", "did you mean strategy.fast?"),
        ("session.calendar=XNYZ", "unknown exchange calendar"),
    ],
)
def test_check_refuses_with_one_line_and_the_configuration_exit_code(
    override: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tradingd(["config", "check", override]) == ExitCode.CONFIG
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert said in captured.err


def test_show_prints_yaml_that_decodes_to_the_same_configuration(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("mode=backtest", "broker=alpaca", "universe=symbols", "universe.symbols=['ON',SPY]")
    shown = yaml.safe_load(_run(capsys, "show", *words))
    assert decode(shown) == load(words).config


def test_show_prints_references_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APCA_API_SECRET_KEY", "hunter2")
    out = _run(capsys, "show", "broker=alpaca")
    assert "secret_key: env:APCA_API_SECRET_KEY" in out
    assert "hunter2" not in out


def test_show_refuses_a_literal_secret_without_repeating_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["config", "show", "broker=alpaca", "broker.secret_key=hunter2"]
    assert tradingd(words) == ExitCode.CONFIG
    captured = capsys.readouterr()
    assert "hunter2" not in captured.out + captured.err
    assert "broker.secret_key" in captured.err


def test_diff_of_the_defaults_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no difference" in _run(capsys, "diff")


def test_diff_compares_what_is_in_force_with_the_packaged_defaults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site.yaml").write_text("risk: {gross_percent: 50}\n")
    found = _json(capsys, "diff", "seed=9", "--overlay", str(tmp_path))
    assert found["differences"] == [
        {"key": "risk.gross_percent", "left": 100.0, "right": 50.0},
        {"key": "seed", "left": 7, "right": 9},
    ]


def test_diff_compares_two_sets_of_overrides(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("strategy=ema_cross", "strategy.fast=5", "--against", "strategy=ema_cross")
    found = _json(capsys, "diff", *words)
    assert found["differences"] == [{"key": "strategy.fast", "left": 20, "right": 5}]


def test_diff_marks_keys_that_one_side_does_not_have(capsys: pytest.CaptureFixture[str]) -> None:
    out = _run(capsys, "diff", "strategy=buy_and_hold")
    row = next(line for line in out.splitlines() if "strategy.slow" in line)
    assert row.split() == ["strategy.slow", "50", "-"]


def test_explain_lists_every_layer_and_marks_the_winner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "ibkr.yaml").write_text("kind: ibkr\nclient_id: 2\n")
    (tmp_path / "site.yaml").write_text("broker:\n  client_id: 3\n")
    monkeypatch.setenv("IB_CLIENT_ID", "4")
    words = ("broker=ibkr", "broker.client_id=5", "--overlay", str(tmp_path))
    found = _json(capsys, "explain", "broker.client_id", *words)
    assert found["layers"] == [
        {"layer": "struct default", "place": "", "value": 1, "wins": False},
        {
            "layer": "overlay file",
            "place": f"{tmp_path}/broker/ibkr.yaml:2",
            "value": 2,
            "wins": False,
        },
        {"layer": "site.yaml", "place": f"{tmp_path}/site.yaml:2", "value": 3, "wins": False},
        {"layer": "environment", "place": "environment IB_CLIENT_ID", "value": 4, "wins": False},
        {"layer": "command line", "place": "command line", "value": 5, "wins": True},
    ]
    assert (found["value"], found["winner"], found["default"]) == (5, "command line", 1)


def test_explain_names_the_packaged_file(capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "explain", "risk.gross_percent", "risk=intraday")
    assert found["winner"] == "packaged file"
    assert (found["value"], found["default"], found["unit"]) == (50.0, 100.0, "percent")
    assert found["expected"] == "a number >= 0 and <= 100000"


def test_explain_of_a_group_lists_its_keys_with_the_layer_that_set_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = _run(capsys, "explain", "risk", "risk=intraday", "risk.loss_streak=4").splitlines()
    cells = {row.split()[0]: row.split()[1:] for row in rows if row.strip().startswith("risk.")}
    assert cells["risk.gross_percent"] == ["50.0", "packaged", "file"]
    assert cells["risk.loss_streak"] == ["4", "command", "line"]
    assert cells["risk.max_positions"] == ["30", "struct", "default"]


def test_explain_hides_a_literal_secret_that_a_stronger_layer_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site.yaml").write_text("broker: {secret_key: hunter2}\n")
    words = ("broker=alpaca", "broker.secret_key='env:REAL'", "--overlay", str(tmp_path))
    for key in ("broker.secret_key", "broker"):
        for form in ((), ("--json",)):
            out = _run(capsys, "explain", key, *words, *form)
            assert "hunter2" not in out
            assert "env:REAL" in out


def test_explain_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    out = _run(capsys, "explain", "risk.gross_percent")
    assert "Sum of absolute position values" in out
    assert "struct default" in out


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("strategy.slwo", "did you mean strategy.slow?"),
        ("stratgy.slow", "did you mean strategy?"),
        ("execution.slippage.windw", "did you mean execution.slippage.window?"),
        ("risk.gross_percent.deeper", ""),
        ("", ""),
    ],
)
def test_explain_of_an_unknown_key_names_the_nearest(
    key: str, suggestion: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tradingd(["config", "explain", key]) == ExitCode.CONFIG
    assert suggestion in capsys.readouterr().err


def test_schema_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(_run(capsys, "schema")) == json.loads(json.dumps(json_schema()))


@pytest.mark.parametrize("verb", ["check", "show", "diff", "explain", "schema"])
def test_every_verb_describes_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["config", verb, *(["risk"] if verb == "explain" else []), "--describe"]
    assert tradingd(words) == ExitCode.OK
    described = json.loads(capsys.readouterr().out)
    assert {"description", "input_schema", "output_schema", "environment"} <= set(described)
