import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from apprise.plugins.email import NotifyEmail
from apprise.plugins.slack import NotifySlack

from tests.fakes.smtp_peer import smtp_peer
from tests.fakes.web_peer import black_hole, closed_port, wait_for, web_peer
from tests.integration.notify.router_kit import HandClock, make_router, page, running, warn
from tests.stopwatch import Stopwatch
from tradingd.config.alerts import AlertsConfig
from tradingd.domain.alerts import Alert, Severity
from tradingd.kits.failure import ExitCode, Failure


def test_a_webhook_is_told_who_what_and_what_to_do(tmp_path: Path) -> None:
    with web_peer() as peer:
        router = make_router(
            tmp_path, {"env:HOOK": f"json://127.0.0.1:{peer.port}/hook"}, page=("env:HOOK",)
        )
        with running(router):
            router.emit(page(next_step="tradingctl positions --instance paper"))
            wait_for(lambda: len(peer.received) == 1)
    (body,) = peer.bodies
    assert body["title"] == "PAPER paper PAGE: position mismatch"
    assert body["type"] == "failure"
    assert body["message"].startswith("AAPL: 100 here, 0 there\n")
    assert body["message"].endswith("Next: tradingctl positions --instance paper")
    assert "tradingctl acknowledge mismatch" in body["message"]
    assert router.stats()["sent"] == 1
    assert list(tmp_path.glob("m*.json")) == []


def test_slack_is_told_through_its_own_webhook_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_peer() as peer:
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{peer.port}/services")
        url = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
        router = make_router(tmp_path, {"env:SLACK": url}, warn=("env:SLACK",))
        with running(router):
            router.emit(warn())
            wait_for(lambda: len(peer.received) == 1)
    ((path, body),) = peer.received
    assert path == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    assert "PAPER paper WARN: disk is filling up" in str(body)


def test_a_mail_server_gets_subject_and_body(tmp_path: Path) -> None:
    with smtp_peer() as peer:
        url = f"mailto://127.0.0.1:{peer.port}?from=bot@example.org&to=desk@example.org"
        router = make_router(tmp_path, {"env:MAIL": url}, page=("env:MAIL",))
        with running(router):
            router.emit(page())
            wait_for(lambda: len(peer.received) == 1)
    ((sender, recipients, message),) = peer.received
    assert (sender, recipients) == ("bot@example.org", ["desk@example.org"])
    assert message["Subject"] == "PAPER paper PAGE: position mismatch"
    text = message.get_body(("plain", "html"))
    assert text is not None
    assert "100 here, 0 there" in text.get_content()


def test_a_mail_server_that_refuses_is_tried_again_until_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NotifyEmail, "request_rate_per_sec", 0.2)
    with smtp_peer() as peer:
        peer.refuse = True
        url = f"mailto://127.0.0.1:{peer.port}?from=bot@example.org&to=desk@example.org"
        router = make_router(tmp_path, {"env:MAIL": url}, page=("env:MAIL",))
        with running(router):
            router.emit(page())
            wait_for(lambda: router.stats().get("failed", 0) >= 1)
            peer.refuse = False
            wait_for(lambda: len(peer.received) == 1)


@pytest.mark.parametrize("status", [429, 500])
def test_a_server_in_trouble_gets_the_page_when_it_is_well_again(
    tmp_path: Path, status: int
) -> None:
    with web_peer() as peer:
        peer.status = status
        url = f"json://127.0.0.1:{peer.port}/"
        router = make_router(tmp_path, {"env:HOOK": url}, page=("env:HOOK",))
        with running(router):
            router.emit(page())
            wait_for(lambda: peer.attempts >= 2)
            peer.status = 200
            wait_for(lambda: len(peer.received) == 1)
        assert router.stats()["failed"] >= 2
        assert router.stats()["sent"] == 1


def test_a_fill_that_nobody_takes_is_given_up_and_counted(tmp_path: Path) -> None:
    url = f"json://127.0.0.1:{closed_port()}/"
    clock = HandClock()
    router = make_router(tmp_path, {"env:HOOK": url}, clock, trade=("env:HOOK",))
    with running(router):
        router.emit(Alert(key="fill", severity=Severity.TRADE, title="bought 5 AAPL"))
        wait_for(lambda: router.stats().get("received", 0) == 1)
        clock.minutes(1)
        wait_for(lambda: router.stats().get("dropped", 0) == 1)
    assert router.stats()["failed"] == 3
    assert router.waiting == 0


def test_a_black_hole_holds_up_neither_emit_nor_the_other_routes(tmp_path: Path) -> None:
    with black_hole() as port, web_peer() as peer:
        urls = {
            "env:HOLE": f"json://127.0.0.1:{port}/?rto=1",
            "env:HOOK": f"json://127.0.0.1:{peer.port}/",
        }
        router = make_router(tmp_path, urls, page=("env:HOLE", "env:HOOK"))
        with running(router):
            router.emit(page("first"))
            with Stopwatch() as watch:
                router.emit(page("second"))
                wait_for(lambda: len(peer.received) == 2)
            assert watch.seconds < 0.9
            wait_for(lambda: router.stats().get("failed", 0) >= 1)
        left = [path.read_text() for path in tmp_path.glob("m*.json")]
        assert len(left) == 2
        assert all("env:HOOK" not in text for text in left), "only the route that failed is left"


def test_a_storm_of_equal_pages_and_fills_is_a_handful_of_messages(tmp_path: Path) -> None:
    with web_peer() as peer:
        clock = HandClock()
        router = make_router(
            tmp_path, {"env:HOOK": f"json://127.0.0.1:{peer.port}/"}, clock,
            page=("env:HOOK",), trade=("env:HOOK",),
        )  # fmt: skip
        with running(router):
            for i in range(5_000):
                router.emit(page())
                if i % 10 == 0:
                    router.emit(Alert(key=f"f{i}", severity=Severity.TRADE, title=f"fill {i}"))
            wait_for(lambda: router.stats().get("received", 0) == 5_500)
            clock.minutes(1.1)
            wait_for(lambda: len(peer.received) == 2)
            router.emit(page(resolved=True))
            wait_for(lambda: len(peer.received) == 3)
    titles = [body["title"] for body in peer.bodies]
    assert titles == [
        "PAPER paper PAGE: position mismatch",
        "PAPER paper TRADE: 500 trade events",
        "PAPER paper RESOLVED: position mismatch (seen 5000x)",
    ]
    assert peer.bodies[2]["type"] == "success"


def test_a_page_goes_to_the_escalation_route_until_it_is_acknowledged(tmp_path: Path) -> None:
    with web_peer() as first, web_peer() as second:
        clock = HandClock()
        urls = {
            "env:DESK": f"json://127.0.0.1:{first.port}/",
            "env:BOSS": f"json://127.0.0.1:{second.port}/",
        }
        router = make_router(tmp_path, urls, clock, page=("env:DESK",), escalate=("env:BOSS",))
        with running(router):
            router.emit(page())
            wait_for(lambda: len(first.received) == 1)
            clock.minutes(5)
            wait_for(lambda: len(second.received) == 1)
            assert router.acknowledge("mismatch")
            clock.minutes(60)
            router.emit(warn("other"))
            wait_for(lambda: router.stats().get("received", 0) == 2)
    assert "UNACKNOWLEDGED PAGE" in second.bodies[0]["title"]
    assert len(second.received) == 1
    assert len(first.received) == 1


def test_an_alert_without_a_route_is_counted_and_a_page_takes_any_route(tmp_path: Path) -> None:
    with web_peer() as peer:
        router = make_router(
            tmp_path, {"env:HOOK": f"json://127.0.0.1:{peer.port}/"}, info=("env:HOOK",)
        )
        with running(router):
            router.emit(warn())
            router.emit(page())
            wait_for(lambda: len(peer.received) == 1)
        assert "PAGE" in peer.bodies[0]["title"]
        assert router.stats()["unrouted"] == 1


SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (f"nosuch://{SECRET}/x", "a scheme apprise lacks"),
        (f"slack://{SECRET}", "an incomplete slack:// URL"),
        (SECRET, "text without a scheme (SCHEME://...)"),
        (f"json://a/{SECRET}\njson://b", "several words or lines"),
    ],
    ids=["unknown scheme", "incomplete", "no URL", "two URLs"],
)
def test_a_bad_route_is_refused_at_the_start_by_its_name_only(
    tmp_path: Path, url: str, found: str, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    router = make_router(tmp_path, {"env:HOOK": url}, page=("env:HOOK",))
    with pytest.raises(Failure) as refused:
        router.start()
    assert refused.value.code is ExitCode.CONFIG
    assert refused.value.where == "env:HOOK"
    assert refused.value.found == found
    shown = capfd.readouterr()
    assert SECRET not in refused.value.line() + caplog.text + shown.out + shown.err
    assert "apprise" in refused.value.expected


def test_a_bad_route_in_a_reload_leaves_the_old_ones(tmp_path: Path) -> None:
    with web_peer() as peer, web_peer() as other:
        urls = {
            "env:OLD": f"json://127.0.0.1:{peer.port}/",
            "env:BAD": "nosuch://x",
            "env:NEW": f"json://127.0.0.1:{other.port}/",
        }
        router = make_router(tmp_path, urls, page=("env:OLD",))
        with running(router):
            with pytest.raises(Failure):
                router.reconfigure(AlertsConfig(page=("env:BAD",)))
            router.emit(page("a"))
            wait_for(lambda: len(peer.received) == 1)
            router.reconfigure(AlertsConfig(page=("env:NEW",)))
            router.emit(page("b"))
            wait_for(lambda: len(other.received) == 1)
        assert len(peer.received) == 1


def test_closing_sends_what_was_being_gathered(tmp_path: Path) -> None:
    with web_peer() as peer:
        router = make_router(
            tmp_path, {"env:HOOK": f"json://127.0.0.1:{peer.port}/"}, trade=("env:HOOK",)
        )
        router.start()
        router.emit(Alert(key="f", severity=Severity.TRADE, title="sold 5 AAPL"))
        assert router.close(5)
        assert [body["title"] for body in peer.bodies] == ["PAPER paper TRADE: sold 5 AAPL"]
        router.emit(page())
        assert router.stats()["dropped"] == 1


def test_closing_does_not_wait_for_a_black_hole(tmp_path: Path) -> None:
    with black_hole() as port:
        router = make_router(
            tmp_path, {"env:HOLE": f"json://127.0.0.1:{port}/"}, page=("env:HOLE",)
        )
        router.start()
        router.emit(page())
        wait_for(lambda: len(list(tmp_path.glob("m*.json"))) == 1)
        with Stopwatch() as watch:
            assert not router.close(0.3)
        assert watch.seconds < 1.0


DRIVER = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from tests.integration.notify.router_kit import make_router, page
    router = make_router(Path(sys.argv[1]), {"env:HOOK": sys.argv[2]}, page=("env:HOOK",))
    router.start()
    router.emit(page())
    while not router.stats().get(sys.argv[3]):
        time.sleep(0.01)
    print("now", flush=True)
    time.sleep(60)
""")


def run_until(event: str, outbox: Path, url: str) -> None:
    """Run a router in a process of its own until `event` is counted, then kill it."""
    root = Path(__file__).resolve().parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(outbox), url, event],
        stdout=subprocess.PIPE, cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"now\n"
        process.send_signal(signal.SIGKILL)


def test_a_page_that_was_pending_at_a_sigkill_is_sent_after_the_restart(tmp_path: Path) -> None:
    run_until("failed", tmp_path, f"json://127.0.0.1:{closed_port()}/")
    with web_peer() as peer:
        url = f"json://127.0.0.1:{peer.port}/"
        with running(make_router(tmp_path, {"env:HOOK": url}, page=("env:HOOK",))):
            wait_for(lambda: len(peer.received) == 1)
        assert "position mismatch" in peer.bodies[0]["title"]
        with running(make_router(tmp_path, {"env:HOOK": url}, page=("env:HOOK",))) as third:
            third.emit(page("other"))
            wait_for(lambda: len(peer.received) == 2)
        assert [body["title"] for body in peer.bodies].count(peer.bodies[0]["title"]) == 2


def test_a_page_that_was_sent_before_a_sigkill_is_not_sent_again(tmp_path: Path) -> None:
    with web_peer() as peer:
        url = f"json://127.0.0.1:{peer.port}/"
        run_until("sent", tmp_path, url)
        assert len(peer.received) == 1
        wait_for(lambda: not list(tmp_path.glob("m*.json")))
        with running(make_router(tmp_path, {"env:HOOK": url}, page=("env:HOOK",))) as router:
            router.emit(page())  # the trouble goes on, and was told a moment ago
            wait_for(lambda: router.stats().get("deduplicated", 0) == 1)
        assert len(peer.received) == 1


def test_a_pending_page_whose_route_was_renamed_takes_the_present_one(tmp_path: Path) -> None:
    run_until("failed", tmp_path, f"json://127.0.0.1:{closed_port()}/")
    with web_peer() as peer:
        urls = {"env:OTHER": f"json://127.0.0.1:{peer.port}/"}
        with running(make_router(tmp_path, urls, page=("env:OTHER",))):
            wait_for(lambda: len(peer.received) == 1)


def test_a_damaged_outbox_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "m1.json").write_text("{")
    (tmp_path / "open.json").write_text("[{]")
    with running(make_router(tmp_path, {}, None)):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m1.bad", "open.bad"]


def test_the_outbox_and_the_logs_hold_references_and_never_an_address(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    url = f"json://user:{SECRET}@127.0.0.1:{closed_port()}/{SECRET}"
    with running(make_router(tmp_path, {"env:HOOK": url}, page=("env:HOOK",))) as router:
        router.emit(page())
        wait_for(lambda: router.stats().get("failed", 0) >= 1)
    text = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "env:HOOK" in text
    assert SECRET not in text
    ours = [record.getMessage() for record in caplog.records if "tradingd" in record.name]
    assert ours
    assert SECRET not in "".join(ours)


def test_secrets_are_masked_in_what_is_sent(tmp_path: Path) -> None:
    with web_peer() as peer:
        router = make_router(
            tmp_path,
            {"env:HOOK": f"json://127.0.0.1:{peer.port}/"},
            mask=lambda text: text.replace(SECRET, "***"),
            page=("env:HOOK",),
        )
        with running(router):
            router.emit(page(title=SECRET, body=f"token {SECRET}", next_step=f"use {SECRET}"))
            wait_for(lambda: len(peer.received) == 1)
    assert SECRET not in str(peer.bodies)


def test_emit_from_many_threads_loses_nothing(tmp_path: Path) -> None:
    router = make_router(tmp_path, {})
    with running(router):
        threads = [
            threading.Thread(target=lambda n=n: [router.emit(warn(f"{n}-{i}")) for i in range(200)])
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_for(lambda: router.stats().get("received", 0) == 1_600)
    assert "dropped" not in router.stats()
