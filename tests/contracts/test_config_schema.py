"""The published schema is the one the structs export, and it describes what `show` prints."""

from pathlib import Path

import jsonschema
import msgspec
import pytest

from tradingd.config.load import load
from tradingd.config.schema import json_schema

CONTRACT = Path(__file__).parents[2] / "contracts" / "config.schema.json"


def test_the_contract_equals_the_exported_schema() -> None:
    published = msgspec.json.decode(CONTRACT.read_bytes())
    exported = msgspec.json.decode(msgspec.json.encode(json_schema()))
    assert published == exported, "run: tradingd config schema > contracts/config.schema.json"


def test_an_effective_configuration_satisfies_the_schema(tmp_path: Path) -> None:
    tree = load(["mode=backtest", "mode.start=2012-01-03", "broker=alpaca"], overlay=tmp_path).tree
    jsonschema.validate(msgspec.json.decode(msgspec.json.encode(tree)), json_schema())


@pytest.mark.parametrize(
    ("group", "key", "value"),
    [("risk", "drawdown_percnt", 1), ("risk", "drawdown_percent", -1), ("strategy", "kind", "x")],
    ids=["unknown key", "out of range", "unknown kind"],
)
def test_the_schema_refuses_what_decoding_refuses(
    group: str, key: str, value: object, tmp_path: Path
) -> None:
    tree = msgspec.json.decode(msgspec.json.encode(load(overlay=tmp_path).tree))
    tree[group][key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tree, json_schema())
