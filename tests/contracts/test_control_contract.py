"""The published contract of the control socket is the one the structs export."""

from pathlib import Path

import jsonschema
import msgspec
import pytest

from tests.fakes.control_operator import FakeOperator
from tradingd.control import messages as m
from tradingd.control.contract import contract
from tradingd.control.verbs import ACTING, index

FILE = Path(__file__).parents[2] / "contracts" / "control.v1.schema.json"


def test_the_control_contract_equals_the_exported_one() -> None:
    published = msgspec.json.decode(FILE.read_bytes())
    exported = msgspec.json.decode(msgspec.json.encode(contract()))
    assert published == exported, (
        "run: python -c 'from tradingd.control.contract import encoded;"
        ' print(encoded().decode(), end="")\' > contracts/control.v1.schema.json'
    )


def test_the_control_contract_is_a_schema_that_a_status_satisfies() -> None:
    published = msgspec.json.decode(FILE.read_bytes())
    jsonschema.Draft202012Validator.check_schema(published)
    status = msgspec.json.decode(msgspec.json.encode(FakeOperator().status()))
    schema = {"$ref": "#/$defs/Status", "$defs": published["$defs"]}
    jsonschema.validate(status, schema)
    del status["state"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(status, schema)


def test_the_contract_and_the_index_list_the_same_verbs() -> None:
    published = {(verb["method"], verb["path"]) for verb in contract()["verbs"]}
    listed = {(verb.method, verb.path) for verb in index("paper").verbs}
    assert published == listed | {("GET", "/")}


@pytest.mark.parametrize("verb", ACTING, ids=lambda verb: verb.name)
def test_every_acting_request_carries_a_reason_and_refuses_unknown_fields(verb) -> None:  # type: ignore[no-untyped-def]
    assert "reason" in verb.request.__struct_fields__
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"surprise":1}', type=verb.request)
    assert issubclass(verb.request, m.Request)
