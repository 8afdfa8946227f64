"""Folders of contracts that somebody else keeps."""

import json
from pathlib import Path
from typing import Any

import pytest

from tradingd.contracts import check, load
from tradingd.contracts.folder import sealable
from tradingd.contracts.seal import write_seal
from tradingd.kits.failure import ExitCode, Failure

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
VERSION = {"schema_version": {"enum": ["1.0", "1.1"]}}


def write(folder: Path, **files: Any) -> Path:
    """Files by name, ``__`` for a slash; what is no text becomes JSON."""
    for name, document in files.items():
        path = folder / (name.replace("__", "/") + ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document))
    return folder


def refused(folder: Path) -> Failure:
    with pytest.raises(Failure) as caught:
        load(folder)
    assert caught.value.code == ExitCode.CONTRACT, caught.value
    return caught.value


def keywords(verdict: Any) -> list[tuple[str, str]]:
    return [(one.path, one.rule) for one in verdict.problems]


def test_draft_07_and_2020_12_live_side_by_side(tmp_path: Path) -> None:
    # `items` as a list means places in draft-07 and nothing in 2020-12, which has prefixItems.
    pair = [{"type": "integer"}, {"type": "string"}]
    write(
        tmp_path,
        old={"$schema": DRAFT_7, "properties": {"pair": {"items": pair}}},
        deep__new={"$schema": DRAFT_2020, "properties": {"pair": {"prefixItems": pair}}},
        examples__old={"$schema": DRAFT_7},
    )
    contracts = load(tmp_path)
    assert contracts.names() == ["new", "old"]
    assert not contracts.sealed
    assert "no SHA256SUMS" in contracts.notes[0]
    for name in ("old", "new"):
        assert check({"pair": [1, "a"]}, contracts, name).ok
        assert keywords(check({"pair": ["a", 1]}, contracts, name)) == [
            ("$.pair[0]", "type"),
            ("$.pair[1]", "type"),
        ]


@pytest.mark.parametrize("draft", ["https://json-schema.org/draft/2019-09/schema", "draft-07", 7])
def test_a_draft_that_is_not_known_is_not_guessed(tmp_path: Path, draft: Any) -> None:
    write(tmp_path, schemas__a={"$schema": draft, "type": "object"})
    assert "draft" in refused(tmp_path).line()


def test_a_schema_without_a_draft_is_read_as_the_newest_and_said_so(tmp_path: Path) -> None:
    (tmp_path / "a.schema.json").write_text('{"type": "array", "prefixItems": [{"const": 1}]}')
    contracts = load(tmp_path)
    assert any("names no draft" in one for one in contracts.notes)
    assert not check([2], contracts, "a").ok


@pytest.mark.parametrize(
    ("version", "known"),
    [("1.0", True), ("1.1", True), ("2.0", False), (1.0, False), (None, False)],
)
@pytest.mark.parametrize("behind", ["", "#/$defs/head"])
def test_an_unknown_schema_version_is_refused(
    tmp_path: Path, version: Any, known: bool, behind: str
) -> None:
    schema: dict[str, Any] = {"$schema": DRAFT_2020, "properties": VERSION}
    if behind:
        schema = {
            "$schema": DRAFT_2020,
            "allOf": [{"$ref": behind}],
            "$defs": {"head": {"properties": VERSION}},
        }
    verdict = check({"schema_version": version}, load(write(tmp_path, m=schema)), "m")
    assert verdict.ok == known
    if not known:
        assert keywords(verdict) == [("$.schema_version", "schema_version")]
        assert "1.0, 1.1" in verdict.problems[0].message


def test_the_version_label_of_a_file_counts_where_the_schema_is_silent(tmp_path: Path) -> None:
    plain = {"$schema": DRAFT_7, "properties": {"schema_version": {"type": "string"}}}
    (tmp_path / "m.v2.schema.json").write_text(json.dumps(plain))
    contracts = load(tmp_path)
    assert check({"schema_version": "2.7"}, contracts, "m").ok
    assert not check({"schema_version": "3.0"}, contracts, "m").ok
    (tmp_path / "m.v2.schema.json").rename(tmp_path / "m.schema.json")
    verdict = check({"schema_version": "3.0"}, load(tmp_path), "m")
    assert verdict.ok
    assert "does not say which schema_version" in verdict.notes[0]


def test_of_several_versions_the_one_that_knows_the_document_judges_it(tmp_path: Path) -> None:
    def version(number: int, field: str) -> dict[str, Any]:
        return {
            "$schema": DRAFT_7,
            "x-contract": {"name": "m", "files": ["*.m.json"]},
            "properties": {"schema_version": {"const": number}},
            "required": [field],
        }

    contracts = load(write(tmp_path, first=version(1, "old"), second=version(2, "new")))
    assert check({"schema_version": 1, "old": 0}, contracts, "m").ok
    assert check({"schema_version": 2, "new": 0}, contracts, "m").ok
    verdict = check({"schema_version": 3}, contracts, "m")
    assert ("$.schema_version", "schema_version") in keywords(verdict)


@pytest.mark.parametrize(
    "state", [{"status": "promoted"}, {"stage": "Production"}, {"promoted": True}]
)
@pytest.mark.parametrize("production", [{}, {"alias": ""}, {"alias": None}, "champion", None])
def test_a_promoted_model_without_an_alias_is_refused_under_any_schema(
    tmp_path: Path, state: dict[str, Any], production: Any
) -> None:
    contracts = load(write(tmp_path, model={"$schema": DRAFT_7, "type": "object"}))
    verdict = check({**state, "production": production}, contracts, "model")
    assert keywords(verdict) == [("$.production.alias", "production.alias")]
    assert check({**state, "production": {"alias": "gap"}}, contracts, "model").ok
    assert check({"status": "candidate"}, contracts, "model").ok


def test_references_reach_other_files_of_the_folder_however_they_are_written(
    tmp_path: Path,
) -> None:
    part = {"$schema": DRAFT_2020, "$defs": {"whole": {"type": "integer"}}}
    write(
        tmp_path,
        by_path={"$schema": DRAFT_2020, "$ref": "parts/part.json#/$defs/whole"},
        by_id={"$schema": DRAFT_2020, "$ref": "https://a.example/c/other.json#/$defs/whole"},
        beside={
            "$schema": DRAFT_7,
            "$id": "https://a.example/c/beside.json",
            "properties": {"x": {"$ref": "parts/part.json#/$defs/whole"}},
        },
        parts__part=part,
        other={**part, "$id": "https://a.example/c/other.json"},
    )
    contracts = load(tmp_path)
    for name, document in (("by_path", "a"), ("by_id", "a"), ("beside", {"x": "a"})):
        assert [one.rule for one in check(document, contracts, name).problems] == ["type"]


FAR = {
    "another host": "https://b.example/stolen.json",
    "a file of the machine": "file:///etc/hostname",
    "a path upwards": "../../outside.json",
    "no such file": "gone.json",
    "no such place": "#/$defs/gone",
    "an odd scheme": "data:application/json,{}",
}


@pytest.mark.parametrize("name", FAR)
def test_a_reference_out_of_the_folder_or_to_nothing_fails_before_any_document(
    tmp_path: Path, name: str
) -> None:
    write(tmp_path, outside={"type": "object"})
    schema = {"$schema": DRAFT_7, "not": {"properties": {"never": {"$ref": FAR[name]}}}}
    write(tmp_path / "contracts", a=schema)
    failure = refused(tmp_path / "contracts")
    assert "$ref" in failure.what
    assert "a.json" in failure.where


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, outside={"type": "object"})
    folder = write(tmp_path / "c", a={"$schema": DRAFT_7, "$ref": "sub/outside.json"})
    (folder / "sub").symlink_to(tmp_path)
    assert "$ref" in refused(folder).what


UNSOUND = {
    "no schema": {"$schema": DRAFT_7, "type": "objekt"},
    "a number for a schema": {"$schema": DRAFT_7, "properties": {"a": 5}},
    "a pattern that is none": {"$schema": DRAFT_7, "properties": {"a": {"pattern": "("}}},
    "a pattern that the library would backtrack": {
        "$schema": DRAFT_2020,
        "unevaluatedProperties": False,
        "allOf": [{"patternProperties": {"^(a+)+$": True}}],
    },
    "a pattern that looks around": {"$schema": DRAFT_7, "patternProperties": {"(?=x)": {}}},
}


@pytest.mark.parametrize("name", UNSOUND)
def test_a_schema_that_is_itself_unsound_is_refused_at_once(tmp_path: Path, name: str) -> None:
    assert "a.json" in refused(write(tmp_path, a=UNSOUND[name])).where


def test_a_reference_to_what_is_no_schema_is_refused(tmp_path: Path) -> None:
    schema = {"$schema": DRAFT_7, "$ref": "../data.json#/properties/a"}
    refused(write(tmp_path, schemas__a=schema, data={"properties": {"a": 5}}))


def test_an_empty_folder_or_none_is_refused(tmp_path: Path) -> None:
    assert "no schema" in refused(write(tmp_path, data={"a": 1})).what
    assert "no folder" in refused(tmp_path / "gone").what


def test_a_reference_that_turns_in_a_circle_ends(tmp_path: Path) -> None:
    contracts = load(write(tmp_path, a={"$schema": DRAFT_2020, "allOf": [{"$ref": "#"}]}))
    with pytest.raises(Failure, match="circle"):
        check({}, contracts, "a")


def test_alternatives_that_multiply_end(tmp_path: Path) -> None:
    parts: dict[str, Any] = {
        f"p{n}": {"anyOf": [{"$ref": f"#/$defs/p{n + 1}"}] * 4} for n in range(24)
    }
    parts["p24"] = False
    schema = {"$schema": DRAFT_2020, "$ref": "#/$defs/p0", "$defs": parts}
    with pytest.raises(Failure, match="multiply"):
        check({}, load(write(tmp_path, a=schema)), "a")


def test_a_pattern_made_to_run_for_ever_does_not(tmp_path: Path) -> None:
    evil = {"$schema": DRAFT_7, "patternProperties": {"^(a+)+$": False}, "pattern": "^(a|a)*$"}
    contracts = load(write(tmp_path, a=evil))
    assert check({"a" * 50_000 + "b": 1}, contracts, "a").ok
    assert not check("a" * 50_000 + "b", contracts, "a").ok


def test_the_end_of_a_pattern_is_the_end(tmp_path: Path) -> None:
    contracts = load(write(tmp_path, a={"$schema": DRAFT_7, "pattern": "^[A-Z]+$"}))
    assert check("FROG", contracts, "a").ok
    assert not check("FROG\n", contracts, "a").ok


def test_unique_items_are_told_apart_as_json_schema_has_it(tmp_path: Path) -> None:
    contracts = load(write(tmp_path, a={"$schema": DRAFT_7, "uniqueItems": True}))
    assert check([1, True, "1", [1], [True], {"a": 1}, {"a": True}, 0, False], contracts, "a").ok
    assert not check([1, 1.0], contracts, "a").ok
    assert not check([{"a": [1]}, {"a": [1.0]}], contracts, "a").ok
    assert check([[n, str(n)] for n in range(20_000)], contracts, "a").ok


def test_additional_properties_are_those_that_nothing_names(tmp_path: Path) -> None:
    schema = {
        "$schema": DRAFT_7,
        "properties": {"a": {}},
        "patternProperties": {"^x_": {}},
        "additionalProperties": {"type": "integer"},
    }
    contracts = load(write(tmp_path, a=schema))
    assert check({"a": "", "x_1": "", "b": 1}, contracts, "a").ok
    assert keywords(check({"b": ""}, contracts, "a")) == [("$.b", "type")]


def test_a_rule_that_names_no_contract_is_about_those_that_declare_what_it_reads(
    tmp_path: Path,
) -> None:
    declared = {"$schema": DRAFT_7, "properties": {"metrics": {}, "status": {}}}
    write(
        tmp_path,
        manifest=declared,
        other={"$schema": DRAFT_7, "properties": {"status": {}}},
        rules__gate={">": [{"var": "metrics.sharpe"}, 1]},
    )
    contracts = load(tmp_path)
    verdict = check({"metrics": {"sharpe": 0.5}}, contracts, "manifest")
    assert not verdict.ok
    assert [(one.rule, one.passed) for one in verdict.rules] == [("gate", False)]
    assert check({"metrics": {"sharpe": 1.5}}, contracts, "manifest").ok
    assert check({}, contracts, "other").rules == ()
    assert not check({}, contracts, "other", rules=["gate"]).ok
    with pytest.raises(Failure, match="no such rule"):
        check({}, contracts, "other", rules=["gaet"])


def test_an_unsound_rule_is_refused_with_the_folder(tmp_path: Path) -> None:
    write(tmp_path, a={"$schema": DRAFT_7}, rules__gate={"exec": ["x"]})
    assert refused(tmp_path).where == "rules/gate.json"


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    write(
        tmp_path,
        schemas__a={"$schema": DRAFT_7, "$ref": "../common.json#/definitions/x"},
        rules__gate={"!!": {"var": "x"}},
        common={"definitions": {"x": {"type": "object"}}},
        config={"anything": 1},
    )
    found = load(tmp_path)
    assert sealable(found) == ["common.json", "rules/gate.json", "schemas/a.json"]
    write_seal(tmp_path, sealable(found))
    assert load(tmp_path).sealed
    return tmp_path


@pytest.mark.parametrize("name", ["common.json", "rules/gate.json", "schemas/a.json"])
def test_an_edit_behind_the_checksums_is_refused_until_sealed(sealed: Path, name: str) -> None:
    path = sealed / name
    path.write_text(path.read_text() + "\n")
    failure = refused(sealed)
    assert failure.where == str(path)
    assert "tradingd contracts seal" in failure.next_step
    assert len(failure.found) == 64
    write_seal(sealed, sealable(load(sealed, sealed=False)))
    assert load(sealed).sealed


def test_a_file_added_or_taken_away_behind_the_checksums_is_refused(sealed: Path) -> None:
    write(sealed, schemas__b={"$schema": DRAFT_7})
    assert "added" in refused(sealed).found
    (sealed / "schemas/b.json").unlink()
    load(sealed)
    (sealed / "rules/gate.json").unlink()
    assert refused(sealed).found == "no such file"


def test_a_reference_to_a_file_without_a_checksum_is_refused(sealed: Path) -> None:
    sums = (sealed / "SHA256SUMS").read_text().splitlines(keepends=True)
    (sealed / "SHA256SUMS").write_text("".join(sums[1:]))
    assert refused(sealed).where == str(sealed / "common.json")


@pytest.mark.parametrize(
    "line", ["abc  schemas/a.json", "0" * 64 + "  ../x", "0" * 64 + " x", "\xff"]
)
def test_checksums_that_are_not_understood_are_refused(sealed: Path, line: str) -> None:
    with (sealed / "SHA256SUMS").open("a", encoding="latin-1") as file:
        file.write(line + "\n")
    assert refused(sealed).where == f"{sealed / 'SHA256SUMS'}:4"


def test_an_edit_outside_schemas_and_rules_is_nobodys_business(sealed: Path) -> None:
    write(sealed, config={"anything": 2})
    assert load(sealed).sealed


def test_what_a_model_lacks_for_its_promotion_is_no_fault_before(tmp_path: Path) -> None:
    write(
        tmp_path,
        model={"$schema": DRAFT_7, "properties": {"metrics": {}}},
        rules__gate={">": [{"var": "metrics.sharpe"}, 1]},
    )
    contracts = load(tmp_path)
    poor: dict[str, Any] = {"metrics": {"sharpe": 0.5}, "production": {"alias": "gap"}}
    before: list[dict[str, Any]] = [{"status": "candidate"}, {"promoted": False}]
    after: list[dict[str, Any]] = [{"status": "promoted"}, {"stage": "trial", "promoted": True}, {}]
    for state in before:
        found = check({**poor, **state}, contracts, "model")
        assert found.ok
        assert [(one.passed, one.binding) for one in found.rules] == [(False, False)]
        assert not check({**poor, **state}, contracts, "model", rules=["gate"]).ok
    for state in after:
        assert not check({**poor, **state}, contracts, "model").ok


def test_a_rule_for_a_contract_that_is_not_there_is_told(tmp_path: Path) -> None:
    rule = {"rule": {"!!": {"var": "x"}}, "applies_to": ["modle", "model"]}
    contracts = load(write(tmp_path, model={"$schema": DRAFT_7}, rules__gate=rule))
    (note,) = [one for one in contracts.notes if "rules/gate.json" in one]
    assert "'modle', which is no contract of the folder; did you mean model?" in note


def test_a_contract_that_is_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, outside={"$schema": DRAFT_7})
    folder = write(tmp_path / "c", a={"$schema": DRAFT_7})
    (folder / "b.json").symlink_to(folder / "a.json")
    assert load(folder).names() == ["a", "b"]
    (folder / "b.json").unlink()
    (folder / "b.json").symlink_to(tmp_path / "outside.json")
    assert refused(folder).where == str(folder / "b.json")


def test_a_rule_that_grows_without_bound_is_named_with_the_document(tmp_path: Path) -> None:
    twice = {"cat": [{"var": "accumulator"}, {"var": "accumulator"}]}
    rule = {"reduce": [{"var": "x"}, twice, "aaaaaaaaaa"]}
    contracts = load(
        write(tmp_path, a={"$schema": DRAFT_7, "properties": {"x": {}}}, rules__r=rule)
    )
    with pytest.raises(Failure) as caught:
        check({"x": [1] * 40}, contracts, "a", where="doc.json")
    assert caught.value.where == "rules/r.json on doc.json"


def test_rules_and_checksums_that_are_passed_by_are_told(sealed: Path) -> None:
    (sealed / "schemas" / "a.json").write_text(json.dumps({"$schema": DRAFT_7}))
    (note,) = [one for one in load(sealed / "schemas").notes if "passed by" in one]
    assert note == (
        f"rules and SHA256SUMS beside {sealed / 'schemas'} are passed by: name {sealed}"
    )
