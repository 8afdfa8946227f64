"""Rules and dashboards may only name series that the code exposes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tradingd.telemetry.metrics import Metrics

OPS = Path(__file__).resolve().parents[3] / "ops"
RULES = OPS / "prometheus" / "tradingd.rules.yml"
NAME = re.compile(r"\b((?:tradingd|process|python)_\w+)\b")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    return Metrics(version="1", mode="paper", folder=tmp_path_factory.mktemp("disk")).names()


def rule_texts() -> Iterator[tuple[str, str]]:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            yield rule.get("alert") or rule["record"], rule["expr"]


def query_texts() -> Iterator[tuple[str, str]]:
    for path in sorted((OPS / "grafana" / "dashboards").glob("*.json")):
        page = json.loads(path.read_text())
        for one in page["annotations"]["list"]:
            yield f"{path.name} {one['name']}", one["expr"]
        for one in page["templating"]["list"]:
            yield f"{path.name} ${one['name']}", one.get("definition", "")
        for panel in page["panels"]:
            for target in panel.get("targets", []):
                yield f"{path.name} {panel['title']}", target["expr"]


def test_every_name_in_the_rules_is_exposed(known: frozenset[str]) -> None:
    unknown = {(rule, name) for rule, text in rule_texts() for name in NAME.findall(text)
               if name not in known}  # fmt: skip
    assert unknown == set()


def test_every_name_in_the_dashboards_is_exposed(known: frozenset[str]) -> None:
    unknown = {(place, name) for place, text in query_texts() for name in NAME.findall(text)
               if name not in known}  # fmt: skip
    assert unknown == set()


def test_most_of_what_is_measured_is_shown_or_watched(known: frozenset[str]) -> None:
    used = {name for _, text in [*rule_texts(), *query_texts()] for name in NAME.findall(text)}
    ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known if name.startswith("trad")}
    unused = ours - {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    assert unused == {
        "tradingd_batches_total",
        "tradingd_data_timestamp_seconds",
        "tradingd_disk_read_bytes_total",
        "tradingd_filled_shares_total",
        "tradingd_job_runs_total",
        "tradingd_alerts_waiting",
        "tradingd_memory_used_ratio",
        "tradingd_network_errors_total",
        "tradingd_reconciliation_timestamp_seconds",
    }
