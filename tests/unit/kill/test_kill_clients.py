"""Which broker an endpoint file leads the kill switch to, and that it holds no secret."""

from pathlib import Path

import msgspec
import pytest

from tradingd.app.killing.clients import client_of
from tradingd.domain import endpoint
from tradingd.domain.endpoint import BrokerEndpoint
from tradingd.kits.failure import ExitCode, Failure

ALPACA = {
    "kind": "alpaca",
    "account": "PA3SIM000001",
    "url": "http://127.0.0.1:9",
    "key_id": "env:KILL_TEST_KEY",
    "secret_key": "env:KILL_TEST_SECRET",
    "mode": "paper",
}


def test_a_simulated_broker_is_reached_by_its_socket(tmp_path: Path) -> None:
    known = BrokerEndpoint(kind="simulated", account="SIM-1", socket=str(tmp_path / "s"))
    assert client_of(known, 1.0)() is not None


def test_a_kind_nobody_knows_is_not_flat() -> None:
    with pytest.raises(Failure, match="does not know") as caught:
        client_of(BrokerEndpoint(kind="ibkr", account="U1"), 1.0)
    assert caught.value.code is ExitCode.NOT_FLAT


def test_alpaca_is_logged_in_with_what_the_references_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("tradingd.brokers.alpaca.broker")
    monkeypatch.setenv("KILL_TEST_KEY", "PKTEST")
    monkeypatch.setenv("KILL_TEST_SECRET", "very-secret")
    made = client_of(msgspec.convert(ALPACA, BrokerEndpoint), 1.0)()
    assert "very-secret" not in repr(made)


def test_references_that_do_not_resolve_say_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("tradingd.brokers.alpaca.broker")
    monkeypatch.delenv("KILL_TEST_KEY", raising=False)
    with pytest.raises(Failure, match="KILL_TEST_KEY") as caught:
        client_of(msgspec.convert(ALPACA, BrokerEndpoint), 1.0)()
    assert caught.value.code is ExitCode.NOT_FLAT


def test_keys_of_paper_are_never_tried_on_the_live_host(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tradingd.brokers.alpaca.broker")
    monkeypatch.setenv("KILL_TEST_KEY", "PKTEST")
    monkeypatch.setenv("KILL_TEST_SECRET", "very-secret")
    live = {**ALPACA, "url": "https://api.alpaca.markets"}
    with pytest.raises(Failure) as caught:
        client_of(msgspec.convert(live, BrokerEndpoint), 1.0)()
    assert caught.value.code is ExitCode.NOT_FLAT
    assert "very-secret" not in caught.value.line()


@pytest.mark.parametrize("name", ["key_id", "secret_key"])
def test_a_secret_never_gets_into_the_endpoint_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be a reference") as caught:
        BrokerEndpoint(**{**ALPACA, name: "PKVERYSECRET"})
    assert "PKVERYSECRET" not in str(caught.value)
    endpoint.write(tmp_path, msgspec.convert(ALPACA, BrokerEndpoint))
    assert endpoint.read(tmp_path).key_id == "env:KILL_TEST_KEY"


def test_an_endpoint_of_an_earlier_release_is_still_read(tmp_path: Path) -> None:
    (tmp_path / endpoint.ENDPOINT).write_text(
        '{"kind":"simulated","account":"SIM-1","socket":"/s","host":"","port":0,"client_id":0}'
    )
    assert endpoint.read(tmp_path).url == ""
