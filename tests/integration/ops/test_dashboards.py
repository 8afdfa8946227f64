import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.ops.conftest import Tool

GRAFANA = Path(__file__).resolve().parents[3] / "ops" / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
BUILT_IN = {"__rate_interval": "5m", "__interval": "1m", "__range": "1h", "__all": "x"}
UNITS = {"none", "short", "s", "bytes", "Bps", "opm", "percentunit", "currencyUSD"}


def load(path: Path) -> dict[str, Any]:
    page = json.loads(path.read_text())
    assert isinstance(page, dict)
    return page


def faults(page: dict[str, Any]) -> list[str]:
    """Return what is wrong with the structure of a dashboard."""
    found = []
    variables = {one["name"] for one in page["templating"]["list"]}
    seen: set[int] = set()
    cells: set[tuple[int, int]] = set()
    if page["id"] is not None:
        found.append("a provisioned dashboard has no id")
    if page["templating"]["list"][0]["type"] != "datasource":
        found.append("the first variable is not the data source")
    for panel in page["panels"]:
        name = f"{panel['id']} {panel['title']}"
        if panel["id"] in seen:
            found.append(f"{name}: id twice")
        seen.add(panel["id"])
        place = panel["gridPos"]
        covered = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        if cells & covered or place["x"] + place["w"] > 24:
            found.append(f"{name}: overlaps or leaves the page")
        cells |= covered
        if panel["type"] == "row":
            continue
        if not panel["title"] or len(panel["description"]) < 10:
            found.append(f"{name}: says not what it shows")
        if panel["fieldConfig"]["defaults"]["unit"] not in UNITS:
            found.append(f"{name}: unknown unit")
        if not panel["targets"]:
            found.append(f"{name}: no query")
        for target in panel["targets"]:
            if target["datasource"]["uid"] != "${datasource}":
                found.append(f"{name}: the data source is not the variable")
            if "$env" not in target["expr"]:
                found.append(f"{name}: shows instances that were not chosen")
            unknown = set(re.findall(r"\$\{?(\w+)", target["expr"])) - variables - set(BUILT_IN)
            found += [f"{name}: unknown variable ${one}" for one in unknown]
    return found


def queries(page: dict[str, Any]) -> list[str]:
    """Return every query with its variables filled in."""
    texts = [target["expr"] for panel in page["panels"] for target in panel.get("targets", [])]
    texts += [one["expr"] for one in page["annotations"]["list"]]
    for name, value in BUILT_IN.items():
        texts = [text.replace(f"${name}", value) for text in texts]
    return [re.sub(r"\$\{?\w+\}?", "x", text) for text in texts]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dashboard_is_sound(path: Path) -> None:
    assert faults(load(path)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_query_is_promql(path: Path, promtool: Tool, tmp_path: Path) -> None:
    rules = [
        {"record": f"query_{number}", "expr": text}
        for number, text in enumerate(queries(load(path)))
    ]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    done = promtool("check", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_a_misspelt_variable_and_a_missing_data_source() -> None:
    page = load(FILES[0])
    target = page["panels"][1]["targets"][0]
    target["expr"] = target["expr"].replace("$env", "$enw")
    page["panels"][2]["targets"][0]["datasource"] = {"uid": "mine"}
    page["panels"][3]["id"] = 1
    assert len(faults(page)) == 4


def test_dashboards_are_distinct() -> None:
    pages = [load(path) for path in FILES]
    assert len(pages) == 4
    assert len({page["uid"] for page in pages}) == 4
    assert all(path.stem == page["uid"] for path, page in zip(FILES, pages, strict=True))


def test_the_files_are_what_the_generator_writes() -> None:
    code = "import json, runpy; print(json.dumps(runpy.run_path('build.py')['files']()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=GRAFANA, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {path.name: path.read_text() for path in FILES}


def test_the_provisioning_names_a_folder_and_a_prometheus() -> None:
    provisioning = GRAFANA / "provisioning"
    boards = yaml.safe_load((provisioning / "dashboards" / "tradingd.yml").read_text())
    sources = yaml.safe_load((provisioning / "datasources" / "tradingd.yml").read_text())
    assert boards["providers"][0]["options"]["path"]
    assert sources["datasources"][0]["type"] == "prometheus"
