"""The file of one instance: a layer above site.yaml and below the environment."""

import json
from pathlib import Path

import pytest

from tradingd.cli.main import tradingd
from tradingd.config.instance import OPTION, instance_file, read_instance
from tradingd.config.keys import root
from tradingd.config.load import Loaded, load
from tradingd.kits.failure import ExitCode, Failure


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setenv("TRADINGD_CONF", str(folder))
    monkeypatch.chdir(tmp_path)
    for variable in ("IB_HOST", "IB_CLIENT_ID", "IB_GATEWAY_PAPER_PORT"):
        monkeypatch.delenv(variable, raising=False)
    return folder


def written(site: Path, text: str, name: str = "paper") -> Path:
    file = site / f"{name}.yaml"
    file.write_text(text)
    return file


def loaded(site: Path, text: str, *words: str) -> Loaded:
    written(site, text)
    return load(words, instance="paper")


def refused(site: Path, text: str, *words: str) -> Failure:
    written(site, text)
    with pytest.raises(Failure) as raised:
        load(words, instance="paper")
    assert raised.value.code is ExitCode.CONFIG
    return raised.value


def test_selections_and_values_of_the_file_are_in_force(site: Path) -> None:
    text = """
mode: paper
feed: synthetic
risk: {drawdown_percent: 1}
strategy: {option: ema_cross, fast: 4}
alerts:
  page: [env:PAGER_URL]
telemetry: {metrics_port: 9200}
store: {root: "~/a, b: {c}"}
seed: 3
"""
    config = loaded(site, text).config
    assert config.feed.data == "synthetic"
    assert config.risk.drawdown_percent == 1
    assert type(config.strategy).__struct_config__.tag == "ema_cross"
    assert config.strategy.fast == 4
    assert config.alerts.page == ("env:PAGER_URL",)
    assert config.telemetry.metrics_port == 9200
    assert config.store.root == "~/a, b: {c}"
    assert config.seed == 3


def test_the_same_choices_on_the_command_line_make_the_same_configuration(site: Path) -> None:
    text = "feed: synthetic\nstrategy: {option: ema_cross, fast: 4}\nfeed_is: 1\n"
    text = text.replace("feed_is: 1\n", "risk: {gross_percent: 40}\n")
    words = ("feed=synthetic", "strategy=ema_cross", "strategy.fast=4", "risk.gross_percent=40")
    assert loaded(site, text).hash == load(words).hash


def test_an_empty_file_changes_nothing(site: Path) -> None:
    assert loaded(site, "").hash == load().hash
    assert loaded(site, "# only a remark\n").hash == load().hash


def test_it_wins_over_site_and_gives_way_to_environment_and_command_line(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "site.yaml").write_text("risk: {gross_percent: 30, max_positions: 3}\n")
    text = "broker: {option: ibkr, host: instance, client_id: 5}\nrisk: {gross_percent: 40}\n"
    monkeypatch.setenv("IB_HOST", "environment")
    config = loaded(site, text).config
    assert (config.risk.gross_percent, config.risk.max_positions) == (40, 3)
    assert (config.broker.host, config.broker.client_id) == ("environment", 5)
    config = loaded(site, text, "risk.gross_percent=50", "broker.client_id=6").config
    assert (config.risk.gross_percent, config.broker.client_id) == (50, 6)


def test_values_beside_an_option_go_when_the_command_line_takes_another(site: Path) -> None:
    text = "strategy: {option: ema_cross, fast: 4}\n"
    assert loaded(site, text, "strategy=ema_cross").config.strategy.fast == 4
    other = loaded(site, text, "strategy=buy_and_hold")
    assert other.hash == load(["strategy=buy_and_hold"]).hash


def test_values_without_an_option_stay_as_those_of_site_do(site: Path) -> None:
    text = "broker: {half_spread_bps: 3}\n"
    assert loaded(site, text).config.broker.half_spread_bps == 3
    failure = refused(site, text, "broker=ibkr")
    assert "broker.half_spread_bps" in failure.what
    assert f"{site / 'paper.yaml'}:1" in failure.where


def test_an_option_of_the_overlay_can_be_selected(site: Path) -> None:
    (site / "risk").mkdir()
    (site / "risk" / "tiny.yaml").write_text("gross_percent: 7\n")
    assert loaded(site, "risk: {option: tiny, max_positions: 2}\n").config.risk.gross_percent == 7


@pytest.mark.parametrize(
    ("text", "what", "line", "hint"),
    [
        ("mode: paper\nfede: replay\n", "there is no group fede", 2, "did you mean feed?"),
        ("feed: sintetic\n", "feed has no option sintetic", 1, "did you mean feed: synthetic?"),
        ("\nrisk: {gros_percent: 1}\n", "there is no key risk.gros_percent", 2, "gross_percent?"),
        ("risk:\n  gross_percent: lots\n", "risk.gross_percent does not accept", 2, ""),
        ("mode: {kind: live}\n", "mode.kind is chosen with its group", 1, ""),
        ("mode:\n", "takes the name of one option", 1, "mode: OPTION"),
        ("mode: [paper]\n", "takes the name of one option", 1, "mode: OPTION"),
        ("mode: 3\n", "takes the name of one option", 1, "mode: OPTION"),
        ("feed: {option: }\n", "takes the name of one option", 1, "feed: OPTION"),
        ("risk: {gross_percent: .nan}\n", "is not a finite number", 1, ""),
        ("seed: -1\n", "seed does not accept", 1, ""),
        ("risk: {1: 2}\n", "a key of risk is not text", 1, ""),
        ("2: x\n", "a key of the root is not text", None, ""),
        ("- mode\n", "an instance's file holds groups", None, ""),
        ("mode: paper\nrisk: {a: [\n", "is not valid YAML", 3, ""),
        ("mode: paper\nmode: live\n", "is not valid YAML", 2, ""),
        ("risk: {gross_percent: '${nothing}'}\n", "does not compose", None, ""),
        ("mode: {start: 2024-01-01}\n", "there is no key mode.start", 1, ""),
    ],
)
def test_refusals_name_the_file_and_line(
    site: Path, text: str, what: str, line: int | None, hint: str
) -> None:
    failure = refused(site, text)
    assert what in failure.what
    assert str(site / "paper.yaml") + (f":{line}" if line else "") in failure.where
    assert hint in failure.next_step
    assert "command line" not in failure.line()


def test_a_secret_in_a_references_place_is_refused_without_being_repeated(site: Path) -> None:
    failure = refused(site, "alerts: {page: ['slack://HUSH/HUSH']}\n")
    assert "HUSH" not in failure.line()
    assert "paper.yaml:1" in failure.where


def test_a_list_of_references_is_shown(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(site, "alerts: {page: ['env:PAGER_URL']}\n")
    words = ["config", "explain", "alerts.page", "--instance", "paper"]
    assert tradingd(words) == ExitCode.OK
    assert "env:PAGER_URL" in capsys.readouterr().out
    assert tradingd([*words, "alerts.page=[slack://HUSH/HUSH]"]) == ExitCode.CONFIG
    assert "HUSH" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("papre", "did you mean paper?"),
        ("site", "no name of an instance"),
        ("config", "no name of an instance"),
        ("../paper", "no name of an instance"),
        ("Paper", "no name of an instance"),
        ("", "no name of an instance"),
    ],
)
def test_a_name_without_a_file_is_refused(site: Path, name: str, said: str) -> None:
    written(site, "mode: paper\n")
    with pytest.raises(Failure) as raised:
        load(instance=name)
    assert raised.value.code is ExitCode.CONFIG
    assert said in raised.value.line()


def test_without_an_overlay_there_is_no_instance() -> None:
    with pytest.raises(Failure, match="no site overlay") as raised:
        read_instance("paper", None)
    assert raised.value.code is ExitCode.CONFIG


def test_an_unreadable_file_is_refused_with_its_name(site: Path) -> None:
    file = written(site, "")
    file.write_bytes(b"mode: \xff\xfe\n")
    with pytest.raises(Failure) as raised:
        load(instance="paper")
    assert str(file) in raised.value.line()


def test_an_instances_file_can_be_looked_for(site: Path) -> None:
    assert instance_file("paper") is None
    file = written(site, "")
    assert instance_file("paper") == file
    (site / "site.yaml").touch()
    assert instance_file("site") is None


def test_no_group_has_a_key_that_the_file_needs_for_itself() -> None:
    for field in root().fields:
        kinds = getattr(field.type, "types", (field.type,))
        names = {inner.name for kind in kinds for inner in getattr(kind, "fields", ())}
        assert OPTION not in names


def test_the_commands_take_the_instance(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(site, "feed: synthetic\nrisk:\n  drawdown_percent: 1\n")
    assert tradingd(["config", "check", "--instance", "paper"]) == ExitCode.OK
    assert "instance=paper" in capsys.readouterr().out
    assert tradingd(["config", "show", "--instance", "paper", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["config"]["feed"]["data"] == "synthetic"
    words = ["config", "explain", "risk.drawdown_percent", "--instance", "paper", "--json"]
    assert tradingd(words) == ExitCode.OK
    said = json.loads(capsys.readouterr().out)
    assert said["winner"] == "instance file"
    (layer,) = [one for one in said["layers"] if one["wins"]]
    assert (layer["place"], layer["value"]) == (f"{file}:3", 1)
    assert tradingd([*words[:3], "risk.drawdown_percent=2", *words[3:]]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["winner"] == "command line"
    assert tradingd(["config", "diff", "--instance", "paper", "--json"]) == ExitCode.OK
    keys = {one["key"] for one in json.loads(capsys.readouterr().out)["differences"]}
    assert {"risk.drawdown_percent", "feed.data", "feed.speed"} == keys


def test_a_refusal_ends_the_command_with_one_line_and_78(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(site, "feed: sintetic\n")
    assert tradingd(["config", "check", "--instance", "paper"]) == 78
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "paper.yaml:1: feed" in captured.err
