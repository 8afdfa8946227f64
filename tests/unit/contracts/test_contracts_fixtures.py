"""Every published contract has documents that satisfy it and documents that break one rule."""

from pathlib import Path
from typing import Any

import pytest

from tradingd.contracts import Contracts, load
from tradingd.contracts.checking import Verdict, check_file
from tradingd.contracts.place import packaged_contracts
from tradingd.contracts.reading import read_document

FIXTURES = packaged_contracts() / "fixtures"
NAMES = sorted(path.parent.name for path in FIXTURES.glob("*/index.json"))
GOOD = sorted(path for name in NAMES for path in (FIXTURES / name / "good").iterdir())
BAD = sorted(path for name in NAMES for path in (FIXTURES / name / "bad").iterdir())


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load()


def index(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read_document(FIXTURES / name / "index.json")
    return found


def label(path: Path) -> str:
    return f"{path.parents[1].name}/{path.name}"


def judged(path: Path, contracts: Contracts) -> Verdict:
    return check_file(path, contracts, index(path.parents[1].name)["contract"])


def test_every_contract_has_fixtures(contracts: Contracts) -> None:
    assert set(contracts.names()) == set(NAMES)
    for name in NAMES:
        listed = index(name)["bad"]
        assert set(listed) == {one.name for one in BAD if one.parents[1].name == name}
        assert len(listed) >= 3
        assert any(one.parents[1].name == name for one in GOOD)


@pytest.mark.parametrize("path", GOOD, ids=label)
def test_a_good_document_satisfies_its_contract(path: Path, contracts: Contracts) -> None:
    verdict = judged(path, contracts)
    assert (verdict.ok, verdict.problems) == (True, ())
    assert verdict.documents >= 1


@pytest.mark.parametrize("path", BAD, ids=label)
def test_a_bad_document_breaks_the_rule_it_was_made_to_break(
    path: Path, contracts: Contracts
) -> None:
    verdict = judged(path, contracts)
    expected = index(path.parents[1].name)["bad"][path.name]
    assert not verdict.ok
    if expected["rule"] == "rule":
        failed = [one.rule for one in verdict.rules if one.binding and not one.passed]
        assert (failed, verdict.problems) == ([expected["path"]], ())
    else:
        found = [{"path": one.path, "rule": one.rule} for one in verdict.problems]
        assert found[:1] == [expected], verdict.problems


def test_a_document_that_names_its_contract_needs_nobody_to_name_it(contracts: Contracts) -> None:
    for path in GOOD:
        name = index(path.parents[1].name)["contract"]
        verdict = check_file(path, contracts)
        assert verdict.contract in (name, "")
        assert verdict.ok == bool(verdict.contract)
