"""A real Prometheus scrapes a real server and hands its alert to the Alertmanager's address.

Debian's Alertmanager finds its templates in /usr/share only, so an unpacked one does not run; its
routes are tested with amtool.
"""

import asyncio
import contextlib
import json
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.fakes.web_peer import closed_port, wait_for, web_peer
from tests.integration.ops.conftest import Tool
from tradingd.domain.states import TradingState
from tradingd.telemetry.metrics import Metrics
from tradingd.telemetry.server import MetricsServer

OPS = Path(__file__).resolve().parents[3] / "ops"


@contextlib.contextmanager
def served(metrics: Metrics) -> Iterator[int]:
    """Serve metrics from a loop of their own; yield the port."""
    loop = asyncio.new_event_loop()
    server = MetricsServer(metrics, port=0)
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.port
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@contextlib.contextmanager
def running(*command: object, folder: Path) -> Iterator[None]:
    """Run a program until the block ends; its output is in the folder."""
    name = Path(str(command[0])).name
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(part) for part in command], stdout=log, stderr=log, cwd=folder
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


def ask(port: int, path: str) -> Any:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return json.loads(answer.read())
    except OSError:
        return None


def configure(folder: Path, *, target: int, alertmanager: int) -> None:
    """Write the shipped configuration with this test's ports and shorter waits."""
    (folder / "tradingd").mkdir()
    targets = (OPS / "prometheus" / "targets.example.yml").read_text()
    (folder / "tradingd" / "paper.yml").write_text(targets.replace("9101", str(target)))
    rules = (OPS / "prometheus" / "tradingd.rules.yml").read_text()
    (folder / "tradingd.rules.yml").write_text(
        rules.replace("interval: 15s", "interval: 1s").replace("for: 1m", "for: 1s")
    )
    config = (OPS / "prometheus" / "prometheus.yml").read_text()
    for old, new in (("_interval: 15s", "_interval: 1s"), ("timeout: 5s", "timeout: 1s"),
                     ("9093", str(alertmanager))):  # fmt: skip
        config = config.replace(old, new)
    (folder / "prometheus.yml").write_text(config)


def test_promtool_has_nothing_to_say_about_the_exposition(promtool: Tool, tmp_path: Path) -> None:
    metrics = Metrics(version="1", mode="paper", folder=tmp_path, strategies=("swing",))
    metrics.denial("max_positions")
    metrics.job("nightly", due_ns=1, success_ns=1)
    metrics.job_run("nightly", "ok")
    metrics.log_record("ERROR")
    done = promtool("check", "metrics", text=metrics.text())
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_a_mismatch_is_scraped_and_fires(tools: dict[str, Path], tmp_path: Path) -> None:
    metrics = Metrics(version="1", mode="paper", folder=tmp_path, strategies=("swing",))
    metrics.state(TradingState.RUNNING)
    metrics.reconciled(2, 10**18)
    port = closed_port()

    def alerts() -> dict[str, Any]:
        return {one["labels"]["alertname"]: one for _, body in hook.received for one in body}

    with web_peer() as hook, served(metrics) as target:
        configure(tmp_path, target=target, alertmanager=hook.port)
        with running(
            tools["prometheus"], "--config.file=prometheus.yml", "--storage.tsdb.path=data",
            f"--web.listen-address=127.0.0.1:{port}", folder=tmp_path,
        ):  # fmt: skip
            wait_for(lambda: "TradingdPositionMismatch" in alerts(), 30)
            firing = {
                one["labels"]["alertname"] for one in ask(port, "/api/v1/alerts")["data"]["alerts"]
            }
            answer = ask(port, "/api/v1/query?query=tradingd_reconciliation_mismatches")
    (sample,) = answer["data"]["result"]
    assert sample["value"][1] == "2"
    assert sample["metric"]["env"] == "paper"
    assert "exported_env" not in sample["metric"], "a metric of ours collides with a target label"
    assert {path for path, _ in hook.received} == {"/api/v2/alerts"}
    assert alerts()["TradingdPositionMismatch"]["annotations"]["summary"] == (
        "paper: 2 positions or orders differ from the broker's"
    )
    assert firing == {"TradingdPositionMismatch", "Watchdog"}
