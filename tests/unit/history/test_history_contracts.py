from pathlib import Path

import msgspec
import pytest

from tradingd.history.contract import published

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"


def text(name: str) -> bytes:
    """What `contracts/history-<name>.json` must hold; write it there to publish a change."""
    return msgspec.json.format(msgspec.json.encode(published()[name]), indent=2) + b"\n"


@pytest.mark.parametrize("name", published())
def test_the_published_layout_is_the_one_that_is_stored(name: str) -> None:
    assert (CONTRACTS / f"history-{name}.json").read_bytes() == text(name)


def test_prices_are_exact_and_times_naive_nanoseconds() -> None:
    columns = {one["name"]: one["type"] for one in published()["bars"]["columns"]}
    assert columns["close"] == "DECIMAL(18,9)"
    assert columns["ts_event"] == "TIMESTAMP_NS"
