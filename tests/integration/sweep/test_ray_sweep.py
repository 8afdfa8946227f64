"""Sweeps on Ray: on this machine alone, and on a cluster of two nodes that `ray start` opened."""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradingd.kits.failure import ExitCode

HERE = Path(__file__).parent
RAY = str(Path(sys.executable).with_name("ray"))
PATIENCE = 60.0
"""Seconds; a node is up after about five."""

SWEEP = """
import sys, msgspec
from tradingd.app.sweep import sweep
report = sweep(sys.argv[1:], function="sweep_trials:slow_enough_to_spread")
sys.stdout.buffer.write(msgspec.json.encode(report))
"""

TRIALS = ["strategy=ema_cross", "strategy.slow=50", "strategy.fast=5,10,14,20"]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """A home and a token of this test's own: Ray would leave files in the person's home."""
    # Unix socket paths have room for 107 characters; pytest's own folders are too deep.
    with tempfile.TemporaryDirectory(prefix="tr", dir="/tmp") as home:
        token = Path(home) / "token"
        token.write_text(secrets.token_hex(32))
        token.chmod(0o600)
        yield {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "PYTHONPATH": str(HERE),
            "RAY_TMPDIR": home,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_USAGE_STATS_ENABLED": "0",
        }


@pytest.fixture(scope="module")
def cluster(environment: dict[str, str]) -> Iterator[str]:
    """A head and a second node, one CPU each, stopped by ending the two processes we started."""
    port = free_port()
    ours = ["--num-cpus=1", "--object-store-memory=80000000", "--disable-usage-stats", "--block"]
    head = [f"--port={port}", "--head", "--include-dashboard=false"]
    nodes: list[subprocess.Popen[bytes]] = []
    try:
        for arguments in (head, [f"--address=127.0.0.1:{port}"]):
            log = Path(environment["HOME"]) / f"node-{len(nodes)}.log"
            command = [RAY, "start", "--node-ip-address=127.0.0.1", *arguments, *ours]
            with log.open("wb") as sink:
                nodes.append(
                    subprocess.Popen(
                        command, env=environment, stdout=sink, stderr=subprocess.STDOUT
                    )
                )
            wait_until_started(nodes[-1], log)
        yield f"127.0.0.1:{port}"
    finally:
        for node in reversed(nodes):
            node.terminate()
        for node in nodes:
            node.wait(timeout=PATIENCE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_started(node: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and node.poll() is None:
        if "Ray runtime started" in log.read_text():
            return
        time.sleep(0.2)
    raise AssertionError(f"the node did not start: {log.read_text()}")


def run_sweep(environment: dict[str, str], *overrides: str) -> tuple[dict, list[dict], str]:
    """Return the report, the timing rows and what was written to standard error."""
    ended = subprocess.run(
        [sys.executable, "-c", SWEEP, f"mode.results={environment['HOME']}/runs", *overrides],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    timing = json.loads((Path(report["folder"]) / "timing.json").read_text())
    return report, timing["trials"], ended.stderr


@pytest.mark.ray
@pytest.mark.slow
def test_a_local_ray_sweep_runs_in_its_own_processes_and_stays_quiet(
    environment: dict[str, str],
) -> None:
    untouched = {name: text for name, text in environment.items() if "RAY_AUTH" not in name}
    report, timing, noise = run_sweep(
        untouched, "hydra/launcher=ray", "hydra.launcher.ray.init.num_cpus=2", *TRIALS
    )
    assert [trial["objective"] for trial in report["trials"]] == [-0.05, -16.05, -25.05, -100.05]
    assert len({one["pid"] for one in timing}) == 2
    assert {trial["metrics"]["omp_threads"] for trial in report["trials"]} == {1.0}
    assert noise == ""
    assert not (Path(untouched["HOME"]) / ".ray").exists()


@pytest.mark.ray
def test_a_cluster_that_is_not_there_is_one_line_and_leaves_nothing(
    environment: dict[str, str],
) -> None:
    home = Path(environment["HOME"]) / "alone"
    home.mkdir()
    alone = {**environment, "RAY_TMPDIR": str(home), "XDG_DATA_HOME": str(home / "data")}
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "tradingd", "backtest", "-m", "hydra/launcher=ray_cluster"),
            *("hydra.launcher.ray.init.address=auto", "strategy.fast=5,6"),
        ],
        env=alone,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == ExitCode.TRIALS_FAILED
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert "ray start --head" in ended.stderr
    assert not list((home / "data").rglob("sweep-*"))


@pytest.mark.ray
@pytest.mark.slow
def test_one_override_runs_the_sweep_on_both_nodes_of_a_started_cluster(
    environment: dict[str, str], cluster: str
) -> None:
    report, timing, noise = run_sweep(environment, "hydra/launcher=ray_cluster", *TRIALS)
    assert [trial["objective"] for trial in report["trials"]] == [-0.05, -16.05, -25.05, -100.05]
    assert len({one["node"] for one in timing}) == 2, timing
    assert len({one["pid"] for one in timing}) >= 2
    assert noise == ""


@pytest.mark.ray
@pytest.mark.slow
def test_a_cluster_is_also_found_by_its_stated_address(
    environment: dict[str, str], cluster: str
) -> None:
    address = f"hydra.launcher.ray.init.address='{cluster}'"
    report, timing, _ = run_sweep(environment, "hydra/launcher=ray_cluster", address, *TRIALS)
    assert report["done"] == 4
    assert len({one["node"] for one in timing}) == 2, timing
