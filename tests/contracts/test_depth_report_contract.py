"""Reports satisfy the schema that is published for them."""

from pathlib import Path

import jsonschema
import msgspec
import pytest

from tests.unit.microstructure.random_books import ListSource, random_books
from tradingd.microstructure.report import analyse

SCHEMAS = Path(__file__).parents[2] / "contracts" / "schemas"
CONTRACT = SCHEMAS / "depth-report.v1.schema.json"


@pytest.mark.parametrize("rows", [1, 300])
def test_a_report_satisfies_its_contract_and_an_unknown_version_does_not(rows: int) -> None:
    schema = msgspec.json.decode(CONTRACT.read_bytes())
    report = analyse(ListSource(*random_books(4, rows, tidy=True)))
    document = msgspec.json.decode(msgspec.json.encode(report))
    jsonschema.validate(document, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document | {"schema_version": "9.0.0"}, schema)
