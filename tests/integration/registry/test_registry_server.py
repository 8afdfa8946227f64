"""The registry over a real MLflow server: the same models, fetched by another machine."""

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.registry.models_made import NOW, manifest_for
from tradingd.app.model_gates import judge_by
from tradingd.config.registry import RegistryConfig
from tradingd.registry import published
from tradingd.registry.open import open_registry
from tradingd.registry.promotion import Decision

pytestmark = pytest.mark.slow
_SECONDS = 120


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=30) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("server")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        Path(sys.executable).with_name("mlflow"), "server",
        "--backend-store-uri", f"sqlite:///{place / 'server.sqlite'}",
        "--artifacts-destination", str(place / "artifacts"),
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=place,
            env=os.environ | quiet,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + _SECONDS
        while not answers(url):
            assert process.poll() is None, (place / "log").read_text()
            assert time.monotonic() < until, (place / "log").read_text()
            time.sleep(0.2)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def test_two_machines_share_models_trials_and_promotions(
    server: str, tmp_path: Path, content: bytes
) -> None:
    here = open_registry(RegistryConfig(root=str(tmp_path / "here"), tracking=server))
    there = open_registry(RegistryConfig(root=str(tmp_path / "there"), tracking=server))
    (tmp_path / "model.txt").write_bytes(content)
    with here.run("gap_fade") as run:
        for number in range(3):
            here.log_trial(run, number=number, parameters={"n": number}, score=0.1, sharpe=0.2)
        assert here.register(run, tmp_path, manifest_for(content)) == 1
    found = there.trials("gap_fade")
    assert (found.count, found.sharpes) == (3, (0.2, 0.2, 0.2))
    judge = judge_by(("promotion", "champion"))
    done = there.promote("gap_fade", 1, decision=Decision(by="desk", at=NOW), judge=judge)
    assert done.promoted
    # The other machine learns of it when it asks, and serves the same bytes.
    assert published.current(here.root, "gap_fade", "production") is None
    assert here.aliases("gap_fade") == {"production": 1}
    path = published.current(here.root, "gap_fade", "production")
    assert path is not None
    assert b'"promoted"' in path.read_bytes()
    ours, theirs = (one.get("gap_fade", "production") for one in (here, there))
    assert ours.path.read_bytes() == theirs.path.read_bytes()
    assert ours.manifest.status == "promoted"
    assert (ours.folder / "model.txt").read_bytes() == content
    assert (theirs.folder / "model.txt").read_bytes() == content
    over = NOW + dt.timedelta(days=1)
    assert here.expire("gap_fade", 1, at=over).manifest.expires == over
    assert there.get("gap_fade", 1).manifest.expires == over
