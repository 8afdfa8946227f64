import re
from pathlib import Path

import yaml

from tests.integration.ops.conftest import Tool

PROMETHEUS = Path(__file__).resolve().parents[3] / "ops" / "prometheus"
RULES = PROMETHEUS / "tradingd.rules.yml"
TESTS = PROMETHEUS / "tradingd.test.yml"


def alerts() -> list[dict[str, object]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def test_every_alert_fires_and_stays_silent_as_its_cases_say(promtool: Tool) -> None:
    done = promtool("test", "rules", TESTS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_cases_that_fire_and_cases_that_stay_silent() -> None:
    names = [case["name"] for case in yaml.safe_load(TESTS.read_text())["tests"]]
    for alert in alerts():
        name = alert["alert"]
        assert any(one.startswith(f"{name} fires") for one in names), name
        if name != "Watchdog":  # it never may
            assert any(one.startswith(f"{name} stays silent") for one in names), name


def test_a_rule_that_forgot_its_market_hours_is_found(promtool: Tool, tmp_path: Path) -> None:
    broken = RULES.read_text().replace(" and on (env) tradingd_market_open == 1", "")
    assert broken != RULES.read_text()
    (tmp_path / RULES.name).write_text(broken)
    (tmp_path / TESTS.name).write_text(TESTS.read_text())
    done = promtool("test", "rules", tmp_path / TESTS.name)
    assert done.returncode == 1
    for name in ("TradingdNotReady", "TradingdFeedStale", "TradingdBrokerDisconnected"):
        assert f'alertname=\\"{name}\\"' in done.stdout + done.stderr


def test_every_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    for alert in alerts():
        annotations, labels = alert["annotations"], alert["labels"]
        assert isinstance(annotations, dict)
        assert isinstance(labels, dict)
        assert labels["severity"] in ("page", "warn", "none"), alert["alert"]
        assert annotations["summary"], alert["alert"]
        if labels["severity"] != "none":
            assert annotations["next_step"], alert["alert"]
            assert "{{ $labels.env }}" in annotations["summary"] or alert["alert"] == (
                "TradingdAbsent"
            )


def test_the_configuration_is_accepted_with_an_instance(promtool: Tool, tmp_path: Path) -> None:
    (tmp_path / "tradingd").mkdir()
    for name in ("prometheus.yml", "tradingd.rules.yml"):
        (tmp_path / name).write_text((PROMETHEUS / name).read_text())
    example = (PROMETHEUS / "targets.example.yml").read_text()
    (tmp_path / "tradingd" / "paper.yml").write_text(example)
    done = promtool("check", "config", tmp_path / "prometheus.yml")
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout
    assert yaml.safe_load(example)[0]["labels"]["env"] == "paper"


def test_the_programs_that_next_steps_name_exist() -> None:
    from tradingd.cli.control import COMMANDS

    verbs = {command.path[0] for command in COMMANDS}
    text = RULES.read_text()
    named = set(re.findall(r"tradingctl (\w[\w-]*)", text))
    assert named
    assert named <= verbs
