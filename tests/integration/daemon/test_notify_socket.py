"""The notifier against a real datagram socket, as systemd holds one."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stopwatch import Stopwatch
from tradingd.kits.notify_socket import Notifier, SystemdNotifier, notifier


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(2)
        yield listening


def told(receiver: socket.socket) -> dict[str, str]:
    lines = receiver.recv(65_536).decode().split("\n")
    return dict(line.split("=", 1) for line in lines)


def speaker(receiver: socket.socket, **environ: str) -> Notifier:
    return notifier({"NOTIFY_SOCKET": receiver.getsockname(), **environ})


def test_ready_comes_with_its_status_in_one_datagram(receiver: socket.socket) -> None:
    assert speaker(receiver).ready("RUNNING, flat")
    assert told(receiver) == {"READY": "1", "STATUS": "RUNNING, flat"}


def test_a_reload_carries_the_monotonic_time_of_its_begin(receiver: socket.socket) -> None:
    before = time.monotonic_ns() // 1_000
    assert speaker(receiver).reloading()
    fields = told(receiver)
    assert fields["RELOADING"] == "1"
    assert before <= int(fields["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1_000


def test_every_other_message_has_systemds_field(receiver: socket.socket) -> None:
    service = speaker(receiver)
    assert service.stopping("cancelling")
    assert service.extend(2.5)
    assert service.watchdog()
    assert service.trigger()
    assert service.status("one")
    assert told(receiver) == {"STOPPING": "1", "STATUS": "cancelling"}
    assert told(receiver) == {"EXTEND_TIMEOUT_USEC": "2500000"}
    assert told(receiver) == {"WATCHDOG": "1"}
    assert told(receiver) == {"WATCHDOG": "trigger"}
    assert told(receiver) == {"STATUS": "one"}


@pytest.mark.parametrize("text", ["a\nREADY=1", "a\r\nREADY=1", "a\x00\nREADY=1"])
def test_a_status_cannot_smuggle_a_second_field(receiver: socket.socket, text: str) -> None:
    assert speaker(receiver).status(text)
    assert list(told(receiver)) == ["STATUS"]


def test_a_very_long_status_is_cut_at_a_whole_character(receiver: socket.socket) -> None:
    assert speaker(receiver).status("€" * 100_000)
    text = told(receiver)["STATUS"]
    assert set(text) == {"€"}
    assert 1_000 < len(text) < 4_096


def test_an_abstract_socket_is_reached() -> None:
    name = f"tradingd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name)
        listening.settimeout(2)
        assert notifier({"NOTIFY_SOCKET": "@" + name}).watchdog()
        assert told(listening) == {"WATCHDOG": "1"}


def test_a_receiver_that_is_gone_costs_a_false_and_no_error(tmp_path: Path) -> None:
    service = SystemdNotifier(str(tmp_path / "nobody"))
    assert not service.ready("x")
    assert not service.watchdog()


def test_a_full_queue_does_not_block_the_caller(receiver: socket.socket) -> None:
    service = speaker(receiver)
    with Stopwatch() as watch:
        assert not all(service.watchdog() for _ in range(10_000))
    assert watch.seconds < 5


def test_without_systemd_nothing_is_sent_and_nothing_fails() -> None:
    service = notifier({})
    assert type(service) is Notifier
    assert not service.ready("x")
    assert service.watchdog_period is None


@pytest.mark.parametrize(
    ("environ", "period"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
    ids=["all", "own pid", "other pid", "off", "nonsense", "absent"],
)
def test_the_watchdogs_period_counts_only_for_the_process_it_names(
    receiver: socket.socket, environ: dict[str, str], period: float | None
) -> None:
    assert speaker(receiver, **environ).watchdog_period == period
