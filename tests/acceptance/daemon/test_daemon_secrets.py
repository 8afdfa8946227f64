"""A session with marked secrets: the mark is in nothing that the daemon writes, says or serves."""

import base64
import socket
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.daemon.leaks import forms, leaks
from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import Paper, desk_strategy

pytestmark = pytest.mark.slow

type Make = Callable[..., Paper]

MARK = "s3cr3t/M4rk+d%Pa55"
"""With characters that are written differently in URLs."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_marked_secret_is_in_no_output_of_a_session(paper: Make, home: Path) -> None:
    port, dead = free_port(), free_port()
    quoted = urllib.parse.quote(MARK, safe="")
    secrets = {
        "HOOK": f"json://user:{quoted}@127.0.0.1:{dead}/hook",
        "MAIL": f"mailto://user:{quoted}@example.org:{dead}?smtp=127.0.0.1&to=a@example.org",
        "BROKEN": f"nonsense://{quoted}",
    }
    daemon = paper(
        "feed.speed=240",
        "feed.days=1",
        "feed.symbols=1",
        "risk=open",
        f"telemetry.metrics_port={port}",
        f"telemetry.log_folder={home / 'logs'}",
        "telemetry.log_level=DEBUG",
        "alerts.trade=[env:HOOK]",
        "alerts.page=[env:HOOK,env:MAIL]",
        "alerts.info=[env:MAIL]",
        *desk_strategy("Desk"),
    )
    daemon.start(environment={**secrets, "APCA_API_SECRET_KEY": MARK}).ready()
    eventually(lambda: daemon.status().session_open, "an open session")
    (home / "enter-SYN1").touch()
    eventually(lambda: daemon.status().fills > 0, "a fill, told to a route that is dead")
    (home / "raise-in-bar").touch()
    eventually(lambda: daemon.status().states, "a page")
    said = [
        daemon.ctl(*words)
        for words in (
            ("status", "--json"),
            ("health", "--json"),
            ("config", "--json"),
            ("config",),
            ("events", "--after", "0", "--json"),
            ("limits", "list", "--json"),
            ("jobs", "list"),
            ("reload",),
            ("audit", "tail"),
            ("audit", "export", "--to", str(home / "audit.out")),
            ("top", "--once"),
        )
    ]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        metrics = answer.read()
    assert b"tradingd_" in metrics
    eventually(lambda: "HOOK" in daemon.errors() or "hook" in daemon.errors(), "a failed delivery")
    (home / "live-outputs").write_bytes(
        metrics + b"".join((one.stdout + one.stderr).encode() for one in said)
    )
    assert daemon.stop() == 0
    # A start that fails over a route must not say the route either.
    daemon.start("alerts.page=[env:BROKEN]", environment=secrets)
    eventually(lambda: daemon.notified.is_ready or daemon.ended, "an end or a start", 120)
    if daemon.notified.is_ready:
        daemon.stop()

    files = [one for one in home.rglob("*") if one.is_file()]
    names = {one.name for one in files}
    assert {"journal.sqlite", "live-outputs"} <= names
    assert any(one.parent.name == "logs" for one in files)
    assert leaks(home, MARK) == []


def test_the_search_finds_every_form_it_looks_for() -> None:
    coded = [base64.b64encode(b"ab"[:n] + MARK.encode() + b"tail") for n in range(3)]
    for text in (*coded, urllib.parse.quote(MARK, safe="").encode(), MARK.encode()):
        assert any(form in text for form in forms(MARK)), text
