"""`tradingd contracts` as a person uses it, on folders of their own."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tradingd.cli.main import tradingd
from tradingd.contracts.place import packaged_contracts

type Run = Callable[..., Ended]

CONTRACT = 36
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
FIXTURES = packaged_contracts() / "fixtures"


class Ended(NamedTuple):
    """What a command line left; the acceptance tests run it as a process."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Ended:
        code = tradingd(list(words))
        return Ended(code, *capsys.readouterr())

    return run


def put(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Contracts of another repository: draft-07, a bare rule, no checksums."""
    folder = tmp_path / "theirs"
    put(
        folder / "schemas" / "manifest.schema.json",
        {
            "$schema": DRAFT_7,
            "$id": "https://models.example/manifest.schema.json",
            "type": "object",
            "required": ["schema_version", "metrics"],
            "properties": {
                "schema_version": {"const": "1.0"},
                "metrics": {"type": "object"},
                "production": {"type": "object"},
                "status": {"type": "string"},
            },
        },
    )
    put(
        folder / "rules" / "promotion.json",
        {"and": [{">": [{"var": "metrics.sharpe"}, 1]}, {"<": [{"var": "metrics.pbo"}, 0.3]}]},
    )
    return folder


def test_a_foreign_folder_judges_a_manifest_clause_by_clause(
    at_home: Run, tmp_path: Path, foreign: Path
) -> None:
    sound = {"schema_version": "1.0", "metrics": {"sharpe": 1.4, "pbo": 0.1}}
    put(tmp_path / "manifest.json", sound)
    ended = at_home("contracts", "validate", "manifest.json", "--contracts", "theirs")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "no SHA256SUMS" in ended.stdout
    put(tmp_path / "manifest.json", {**sound, "metrics": {"sharpe": 1.4}})
    ended = at_home("contracts", "validate", "manifest.json", "--contracts", "theirs")
    assert ended.returncode == CONTRACT
    assert "Rule promotion on manifest.json: NOT PASSED (binding)" in ended.stdout
    assert "metrics.sharpe=1.4" in ended.stdout
    assert "metrics.pbo is missing" in ended.stdout
    assert ended.stdout.splitlines()[-1] == (
        "SUMMARY files=1 documents=1 good=0 bad=1 under_none=0 sealed=false"
    )


def test_a_foreign_folder_refuses_versions_and_promotions_it_does_not_know(
    at_home: Run, tmp_path: Path, foreign: Path
) -> None:
    sound = {"schema_version": "1.0", "metrics": {"sharpe": 1.4, "pbo": 0.1}}
    put(tmp_path / "runs" / "manifest.json", {**sound, "schema_version": "1.1"})
    put(tmp_path / "runs" / "notes.json", {"anything": 1})
    put(
        tmp_path / "runs" / "other.json",
        {**sound, "$schema": "https://models.example/manifest.schema.json", "status": "promoted"},
    )
    ended = at_home("contracts", "validate", "runs", "--contracts", "theirs", "--json")
    report = json.loads(ended.stdout)
    assert ended.returncode == report["exit_code"] == CONTRACT
    broken = {one["where"]: one["problems"][0]["path"] for one in report["verdicts"]}
    assert broken == {
        "runs/manifest.json": "$.schema_version",
        "runs/other.json": "$.production.alias",
    }
    assert report["under_none"] == ["runs/notes.json"]
    assert "1 file is under no contract, and was not checked: runs/notes.json" in " ".join(
        report["notes"]
    )


def test_what_is_under_no_contract_is_not_called_good(at_home: Run, tmp_path: Path) -> None:
    put(tmp_path / "some" / "notes.json", {"anything": 1})
    for words in (("some/notes.json",), ("some",)):
        ended = at_home("contracts", "validate", *words)
        assert ended.returncode == CONTRACT
    put(tmp_path / "some" / "named.json", {"contract": "l2-snapshot"})
    ended = at_home("contracts", "validate", "some")
    assert "is none of the contracts" in ended.stdout


def test_a_person_may_name_the_contract_or_a_part_of_it(at_home: Run, tmp_path: Path) -> None:
    put(tmp_path / "said.json", {"reason": "lunch"})
    request = "control-message#/$defs/HaltRequest"
    assert at_home("contracts", "validate", "said.json", "--as", request).returncode == 0
    put(tmp_path / "said.json", {"reason": ""})
    ended = at_home("contracts", "validate", "said.json", "--as", request)
    assert (ended.returncode, "$.reason" in ended.stdout) == (CONTRACT, True)
    ended = at_home("contracts", "validate", "said.json", "--as", request[:-3])
    assert (ended.returncode, ended.stdout) == (CONTRACT, "")
    assert "next: --as 'control-message#/$defs/HaltRequest'" in ended.stderr
    ended = at_home("contracts", "validate", "said.json", "--as", "sesion-stats")
    assert (ended.returncode, ended.stdout) == (CONTRACT, "")
    assert "next: --as session-stats" in ended.stderr


def test_lines_are_named_by_their_numbers(at_home: Run, tmp_path: Path) -> None:
    line = (FIXTURES / "signals/good/day.signals.jsonl").read_text().splitlines()[0]
    bad = line.replace('"long"', '"up"')
    put(tmp_path / "signals.jsonl", f"{line}\n\n{bad}\n{line[:40]}\n")
    ended = at_home("contracts", "validate", "signals.jsonl")
    assert ended.returncode == CONTRACT
    assert "signals.jsonl:3" in ended.stdout
    assert "signals.jsonl:4" in ended.stdout
    assert "documents=2" in ended.stdout


def test_a_folder_with_pipes_and_circles_of_links_is_gone_through(
    at_home: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "odd"
    put(folder / "a.model.json", (FIXTURES / "model-manifest/good/candidate.json").read_text())
    (folder / "round").symlink_to(folder)
    (folder / "gone.json").symlink_to(folder / "gone.json")
    os.mkfifo(folder / "pipe.json")
    ended = at_home("contracts", "validate", "odd")
    assert ended.returncode == CONTRACT
    assert "files=3 documents=1 good=1 bad=2" in ended.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("validate",), 2),
        (("validate", "gone.json"), 29),
        (("validate", ".", "--contracts", "gone"), CONTRACT),
        (("validate", __file__, "--rule", "gone"), CONTRACT),
        (("list", "--contracts", "."), CONTRACT),
    ],
    ids=str,
)
def test_a_wrong_command_is_one_line(at_home: Run, words: tuple[str, ...], code: int) -> None:
    ended = at_home("contracts", *words)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert len(ended.stderr.splitlines()) == 1


def test_an_edit_is_refused_until_it_is_sealed(at_home: Run, tmp_path: Path) -> None:
    shutil.copytree(packaged_contracts(), tmp_path / "ours")
    assert at_home("contracts", "list", "--contracts", "ours").returncode == 0
    rule = tmp_path / "ours/rules/promotion.rule.json"
    rule.write_text(rule.read_text().replace("0.95", "0.05"))
    for verb in ("list", "validate"):
        words = ("ours/fixtures/signals/good",) if verb == "validate" else ()
        ended = at_home("contracts", verb, *words, "--contracts", "ours")
        assert (ended.returncode, ended.stdout) == (CONTRACT, "")
        assert "promotion.rule.json" in ended.stderr
        assert "next: undo the edit (git diff); if it is meant: tradingd contracts seal" in (
            ended.stderr
        )
    ended = at_home("contracts", "seal", "--contracts", "ours")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == "SUMMARY files=20 changed=1 added=0 removed=0"
    assert at_home("contracts", "list", "--contracts", "ours").returncode == 0


def test_what_is_broken_is_not_sealed(at_home: Run, foreign: Path) -> None:
    put(foreign / "rules" / "second.json", {"shell": ["rm"]})
    ended = at_home("contracts", "seal", "--contracts", "theirs")
    assert ended.returncode == CONTRACT
    assert not (foreign / "SHA256SUMS").exists()
