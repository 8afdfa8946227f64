from pathlib import Path

import pytest
import yaml

from tests.integration.ops.conftest import Tool

OPS = Path(__file__).resolve().parents[3] / "ops"
CONFIG = OPS / "alertmanager" / "alertmanager.yml"


def test_the_configuration_is_accepted(amtool: Tool) -> None:
    done = amtool("check-config", CONFIG)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (["alertname=TradingdDown", "severity=page", "env=live"], "pager,desk"),
        (["alertname=TradingdRejects", "severity=warn", "env=live"], "desk"),
        (["alertname=Watchdog", "severity=none"], "deadman"),
        (["alertname=SomethingElse"], "desk"),
    ],
    ids=["page", "warn", "dead man", "other"],
)
def test_an_alert_reaches_its_receivers(amtool: Tool, labels: list[str], receivers: str) -> None:
    done = amtool("config", "routes", "test", f"--config.file={CONFIG}", *labels)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == receivers


def test_inhibitions_name_alerts_that_exist() -> None:
    rules = yaml.safe_load((OPS / "prometheus" / "tradingd.rules.yml").read_text())["groups"]
    names = {rule["alert"] for group in rules for rule in group["rules"] if "alert" in rule}
    for inhibition in yaml.safe_load(CONFIG.read_text())["inhibit_rules"]:
        for matcher in [*inhibition["source_matchers"], *inhibition["target_matchers"]]:
            for name in matcher.partition('"')[2].rstrip('"').split("|"):
                assert name in names or name == "Tradingd.+", name


def test_the_file_holds_no_address_that_is_a_secret() -> None:
    text = CONFIG.read_text()
    assert "api_url_file" in text
    assert "hooks.slack.com" not in text
