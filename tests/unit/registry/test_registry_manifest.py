"""The structs of a manifest mirror its contract: what one writes, the other takes."""

import datetime as dt
import json
import math
from pathlib import Path

import msgspec
import pytest

from tradingd.contracts import Contracts, check, load
from tradingd.contracts.place import packaged_contracts
from tradingd.domain import manifest as manifests

GOOD = sorted((packaged_contracts() / "fixtures" / "model-manifest" / "good").glob("*.json"))


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load()


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_manifest_comes_back_as_it_was(path: Path, contracts: Contracts) -> None:
    read = manifests.decode(path.read_bytes())
    assert json.loads(manifests.encode(read)) == json.loads(path.read_bytes())
    assert check(manifests.to_document(read), contracts, "model-manifest").problems == ()
    assert manifests.from_document(manifests.to_document(read)) == read


def test_every_property_of_the_contract_has_a_field_and_the_other_way_round() -> None:
    folder = packaged_contracts() / "schemas"
    schema = json.loads((folder / "model-manifest.v1.schema.json").read_bytes())
    fields = {one.encode_name for one in msgspec.structs.fields(manifests.ModelManifest)}
    assert fields | {"contract"} == set(schema["properties"])
    assert manifests.SCHEMA_VERSION == schema["properties"]["schema_version"]["enum"][-1]


def test_what_was_not_measured_is_not_written() -> None:
    read = manifests.decode(GOOD[0].read_bytes())
    odd = msgspec.structs.replace(read, metrics={"sharpe": 1.0, "pbo": math.nan, "auc": None})
    assert manifests.to_document(odd)["metrics"] == {"sharpe": 1.0}


def test_a_model_expires_at_its_moment_and_not_before() -> None:
    read = manifests.decode(GOOD[0].read_bytes())
    assert read.expired(read.expires)
    assert not read.expired(read.expires - dt.timedelta(microseconds=1))


def test_a_field_of_no_version_is_refused() -> None:
    document = json.loads(GOOD[0].read_bytes())
    with pytest.raises(msgspec.ValidationError, match="pickle"):
        manifests.from_document({**document, "pickle": "x"})
