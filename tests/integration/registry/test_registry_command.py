"""`tradingd model` as a person uses it, with models of their own making."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.registry.models_made import folder_with, manifest_for
from tradingd.cli.main import tradingd
from tradingd.contracts.place import packaged_contracts
from tradingd.domain import manifest as manifests

type Run = Callable[..., Ended]

FAR = {"expires": "2099-01-01T00:00:00Z"}
CONTRACT, REGISTRY, USAGE = 36, 38, 2


class Ended(NamedTuple):
    """What a command line left."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> dict[str, str]:
        words = self.stdout.splitlines()[-1].split()
        assert words[0] == "SUMMARY"
        return dict(word.split("=", 1) for word in words[1:])


@pytest.fixture
def model(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def run(*words: str) -> Ended:
        code = tradingd(["model", *words, f"registry.root={root}"])
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture
def theirs(tmp_path: Path, content: bytes) -> Callable[..., Path]:
    def make(place: str = "theirs", **changes: object) -> Path:
        stated = manifest_for(content, **changes)
        folder = folder_with(tmp_path / place, stated, content)
        path = folder / manifests.FILE_NAME
        path.write_text(json.dumps(json.loads(path.read_bytes()) | FAR))
        return folder

    return make


def test_a_foreign_model_goes_all_the_way_and_back(
    model: Run, theirs: Callable[..., Path], root: Path
) -> None:
    assert model("list").summary["models"] == "0"
    weak = model("import", str(theirs(metrics={"sharpe": 0.2})))
    assert (weak.returncode, weak.stderr) == (0, "")
    assert weak.summary == {"model": "gap_fade@1", "stated_version": "7", "trials": "1"}
    assert "`tradingd model evaluate gap_fade@1` does" in weak.stdout
    refused = model("promote", "gap_fade@1")
    assert (refused.returncode, refused.stderr) == (CONTRACT, "")
    assert "metrics.sharpe > 1" in refused.stdout
    assert "REFUSED: 1 of" in refused.stdout
    assert (refused.summary["promoted"], refused.summary["failed"]) == ("false", "1")
    good = model("import", str(theirs("good") / manifests.FILE_NAME), "--json")
    assert json.loads(good.stdout)["version"] == 2
    for word in ("--dry-run", "--reason"):
        done = model("promote", "gap_fade", word, *(["sure"] if word == "--reason" else []))
        assert done.returncode == 0, done.stderr
    assert done.summary["previous"] == "none"
    shown = model("show", "gap_fade")
    assert (shown.summary["model"], shown.summary["status"]) == ("gap_fade@2", "promoted")
    assert "before it none: sure" in shown.stdout
    better = {"deflated_sharpe": 0.98, "net_return_percent": 7.5}
    model("import", str(theirs("better", metrics=better)))
    assert model("challenge", "gap_fade@3").summary == {
        "challenger": "gap_fade@3", "champion": "gap_fade@2",
    }  # fmt: skip
    assert model("promote", "gap_fade@challenger", "--by", "desk").summary["previous"] == "2"
    told = model("diff", "gap_fade@2", "gap_fade@3", "--json")
    assert [one["path"] for one in json.loads(told.stdout)["differences"]][:2] == [
        "metrics.deflated_sharpe", "metrics.net_return_percent",
    ]  # fmt: skip
    back = model("rollback", "gap_fade")
    assert (back.summary["model"], back.summary["taken_back"]) == ("gap_fade@2", "gap_fade@3")
    ended = model("expire", "gap_fade")
    assert "production still points to it: who serves it abstains" in ended.stdout
    listed = model("list", "--name", "gap_fade")
    assert listed.summary == {
        "names": "1", "models": "3", "promoted": "1", "expired": "1", "damaged": "0",
    }  # fmt: skip


def test_what_a_stranger_says_of_promotion_and_champions_counts_for_nothing(
    model: Run, theirs: Callable[..., Path], root: Path
) -> None:
    folder = theirs()
    path = folder / manifests.FILE_NAME
    said = json.loads(
        (packaged_contracts() / "fixtures/model-manifest/good/full.json").read_bytes()
    )
    mine = {one: said[one] for one in ("production", "champion", "gates", "status")}
    path.write_text(json.dumps(json.loads(path.read_bytes()) | mine | {"schema_version": "1.1.0"}))
    ended = model("import", str(folder))
    assert ended.returncode == 0, ended.stderr
    kept = manifests.decode((root / "models/gap_fade/1" / manifests.FILE_NAME).read_bytes())
    assert (kept.status, kept.production, kept.champion, kept.gates) == ("candidate", *[None] * 3)
    assert kept.origin is not None
    assert (kept.origin.imported, kept.origin.trainer) == ("7", "unknown")


def damaged(folder: Path) -> None:
    path = folder / "model.txt"
    path.write_bytes(path.read_bytes()[:-100])


def unknown_version(folder: Path) -> None:
    path = folder / manifests.FILE_NAME
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"schema_version": "9.0.0"}))


def no_manifest(folder: Path) -> None:
    (folder / manifests.FILE_NAME).unlink()


def no_json(folder: Path) -> None:
    (folder / manifests.FILE_NAME).write_bytes(b"\x80\x04K\x01.")


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (damaged, CONTRACT, "another size"),
        (unknown_version, CONTRACT, "unknown version '9.0.0'"),
        (no_manifest, 29, "model-manifest.json"),
        (no_json, 29, "JSON"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_model_that_is_not_accepted_is_refused_in_one_line(
    model: Run,
    theirs: Callable[..., Path],
    change: Callable[[Path], None],
    code: int,
    words: str,
) -> None:
    folder = theirs()
    change(folder)
    ended = model("import", str(folder))
    assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr
    (line,) = ended.stderr.splitlines()
    assert words in line
    assert model("list").summary["models"] == "0"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "swing"), REGISTRY, "no such model"),
        (("show", "swing@3"), REGISTRY, "swing"),
        (("promote", "swing@production"), REGISTRY, "no such model"),
        (("promote", "Swing@1"), USAGE, "NAME@VERSION"),
        (("rollback", "swing"), REGISTRY, "swing"),
        (("list", "--name", "swing"), REGISTRY, "no such model"),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, tuple) else "",
)
def test_what_is_not_there_is_told(
    model: Run, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = model(*words)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert said in ended.stderr


def test_a_rule_of_one_s_own_refuses_as_well(
    model: Run, theirs: Callable[..., Path], tmp_path: Path
) -> None:
    rule = tmp_path / "many.rule.json"
    rule.write_text(json.dumps({">=": [{"var": "metrics.trades"}, 10_000]}))
    model("import", str(theirs()))
    ended = model("promote", "gap_fade@1", f"training.gates.rules=[promotion,{rule}]")
    assert ended.returncode == CONTRACT, ended.stderr
    assert "metrics.trades >= 10000" in ended.stdout
