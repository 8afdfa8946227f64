from pathlib import Path
from typing import Any

import msgspec
import pytest

from tradingd.results.layout import RECORDS, describe
from tradingd.results.manifest import Manifest
from tradingd.results.metrics import Metrics

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"

PUBLISHED: dict[str, Any] = {
    **{table: describe(table) for table in RECORDS},
    "metrics": msgspec.json.schema(Metrics),
    "manifest": msgspec.json.schema(Manifest),
}


def text(name: str) -> bytes:
    """What `contracts/results-<name>.json` must hold; write it there to publish a change."""
    return msgspec.json.format(msgspec.json.encode(PUBLISHED[name]), indent=2) + b"\n"


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_layout_is_the_one_that_is_written(name: str) -> None:
    assert (CONTRACTS / f"results-{name}.json").read_bytes() == text(name)


def test_the_orders_layout_names_types_as_duckdb_does() -> None:
    columns = {column["name"]: column for column in PUBLISHED["orders"]["columns"]}
    assert columns["limit_price"] == {
        "name": "limit_price",
        "type": "DECIMAL(18,9)",
        "nullable": True,
    }
    assert columns["ts_submitted"]["type"] == "TIMESTAMP_NS"
    assert columns["seq"] == {"name": "seq", "type": "BIGINT", "nullable": False}
