from pathlib import Path

import pytest

from tradingd.domain import endpoint
from tradingd.domain.endpoint import BrokerEndpoint
from tradingd.kits import latch
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.latch import Latch


def test_a_folder_without_a_latch_is_not_latched(tmp_path: Path) -> None:
    assert latch.read(tmp_path) is None
    assert latch.read(tmp_path / "absent") is None


def test_a_tripped_latch_is_read_back(tmp_path: Path) -> None:
    set_ = latch.trip(tmp_path, reason="drawdown", author="uid 0", now_ns=7)
    assert latch.read(tmp_path) == set_ == Latch(reason="drawdown", author="uid 0", since=7)


def test_the_first_reason_stays_and_every_trip_is_remembered(tmp_path: Path) -> None:
    latch.trip(tmp_path, reason="first", author="a", now_ns=1)
    in_force = latch.trip(tmp_path, reason="second", author="b", now_ns=2)
    assert (in_force.reason, in_force.since) == ("first", 1)
    assert [event.reason for event in latch.history(tmp_path)] == ["first", "second"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"reason": 3}', b"\xff\xfe", b"null"])
def test_a_latch_that_cannot_be_understood_is_a_latch(tmp_path: Path, content: bytes) -> None:
    (tmp_path / latch.LATCH).write_bytes(content)
    found = latch.read(tmp_path)
    assert found is not None
    assert "cannot be read" in found.reason


def test_a_latch_that_is_a_folder_is_a_latch(tmp_path: Path) -> None:
    (tmp_path / latch.LATCH).mkdir()
    assert latch.read(tmp_path) is not None


def test_a_reset_lifts_the_latch_and_leaves_a_trace(tmp_path: Path) -> None:
    latch.trip(tmp_path, reason="drawdown", author="a", now_ns=1)
    lifted = latch.reset(tmp_path, reason="looked at it", author="b", now_ns=2)
    assert lifted is not None
    assert lifted.reason == "drawdown"
    assert latch.read(tmp_path) is None
    last = latch.history(tmp_path)[-1]
    assert (last.action, last.reason, last.author) == ("reset", "looked at it", "b")


def test_a_reset_without_a_latch_does_nothing(tmp_path: Path) -> None:
    assert latch.reset(tmp_path, reason="r", author="a", now_ns=2) is None
    assert latch.history(tmp_path) == ()


def test_a_torn_history_line_hides_no_other(tmp_path: Path) -> None:
    latch.trip(tmp_path, reason="one", author="a", now_ns=1)
    with (tmp_path / latch.HISTORY).open("ab") as file:
        file.write(b'{"action": "tr')
    latch.trip(tmp_path, reason="two", author="a", now_ns=2)
    assert [event.reason for event in latch.history(tmp_path)] == ["one", "two"]


def test_no_temporary_file_stays_behind(tmp_path: Path) -> None:
    latch.trip(tmp_path, reason="one", author="a", now_ns=1)
    assert {path.name for path in tmp_path.iterdir()} == {latch.HISTORY, latch.LATCH}


def test_an_endpoint_is_read_back(tmp_path: Path) -> None:
    written = BrokerEndpoint(kind="simulated", account="SIM-1", socket="/run/x.sock")
    endpoint.write(tmp_path, written)
    assert endpoint.read(tmp_path) == written


@pytest.mark.parametrize("content", [None, b"", b'{"kind": 1}'])
def test_an_unusable_endpoint_proves_nothing(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / endpoint.ENDPOINT).write_bytes(content)
    with pytest.raises(Failure) as refused:
        endpoint.read(tmp_path)
    assert refused.value.code is ExitCode.NOT_FLAT
