"""What is registered is whole, stays as it was, and is published for whoever serves it."""

import shutil
from pathlib import Path

import msgspec
import pytest

from tests.integration.registry.conftest import Keep
from tests.integration.registry.models_made import manifest_for
from tradingd.contracts import load
from tradingd.contracts.checking import check_file
from tradingd.domain.manifest import Artifact, FileEntry, encode
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.hashing import file_hash
from tradingd.registry import published
from tradingd.registry.open import Registry


def test_a_registered_model_is_a_candidate_with_its_own_number(
    registry: Registry, keep: Keep, content: bytes
) -> None:
    assert (keep(version="2026-03", status="challenger"), keep()) == (1, 2)
    entry = registry.get("gap_fade", 1)
    assert (entry.manifest.version, entry.manifest.status, entry.aliases) == ("1", "candidate", ())
    assert (entry.folder / entry.manifest.artifact.path).read_bytes() == content
    assert check_file(entry.path, load()).ok
    assert registry.get("gap_fade").version == 2


def test_only_files_that_the_manifest_names_are_kept(
    registry: Registry, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "model.txt").write_bytes(content)
    (tmp_path / "secrets.env").write_text("KEY=1")
    (tmp_path / "oos").mkdir()
    (tmp_path / "oos" / "report.json").write_text("{}")
    path = tmp_path / "oos" / "report.json"
    named = FileEntry(path="oos/report.json", sha256=file_hash(path), bytes=2, role="report")
    manifest = manifest_for(content, schema_version="1.1.0", files=(named,))
    with registry.run("gap_fade") as run:
        entry = registry.get("gap_fade", registry.register(run, tmp_path, manifest))
    found = sorted(str(one.relative_to(entry.folder)) for one in entry.folder.rglob("*.*"))
    assert found == [".registered.json", "model-manifest.json", "model.txt", "oos/report.json"]


@pytest.mark.parametrize(
    ("artifact", "words"),
    [
        ({"sha256": "0" * 64}, "not the one of its manifest"),
        ({"bytes": 3}, "another size"),
        ({"path": "gone.txt"}, "missing"),
        ({"path": "../outside.txt"}, "outside its folder"),
        ({"path": "link.txt"}, "outside its folder"),
        ({"format": "skops"}, "not served"),
    ],
    ids=lambda one: (
        next(iter(one)) + str(next(iter(one.values()))) if isinstance(one, dict) else ""
    ),
)
def test_files_that_are_not_those_of_the_manifest_are_refused(
    registry: Registry, tmp_path: Path, content: bytes, artifact: dict[str, object], words: str
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "model.txt").write_bytes(content)
    (tmp_path / "outside.txt").write_bytes(content)
    (place / "link.txt").symlink_to(tmp_path / "outside.txt")
    manifest = manifest_for(content)
    odd: Artifact = msgspec.structs.replace(manifest.artifact, **artifact)
    with pytest.raises(Failure, match=words) as refused, registry.run("gap_fade") as run:
        registry.register(run, place, msgspec.structs.replace(manifest, artifact=odd))
    assert refused.value.code == ExitCode.CONTRACT
    assert registry.names() == []


def test_a_file_that_changed_in_the_folder_is_not_handed_out(
    registry: Registry, keep: Keep
) -> None:
    keep()
    file = registry.get("gap_fade", 1).folder / "model.txt"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(Failure, match="another size"):
        registry.get("gap_fade", 1)


def test_a_manifest_that_changed_in_the_folder_is_told_or_written_anew(
    registry: Registry, keep: Keep
) -> None:
    keep()
    entry = registry.get("gap_fade", 1)
    content = entry.path.read_bytes()
    entry.path.write_bytes(content.replace(b"candidate", b"promoted"))
    assert registry.get("gap_fade", 1).path.read_bytes() == content
    kept = entry.folder / ".registered.json"
    kept.write_bytes(kept.read_bytes() + b" ")
    (failure,) = registry.entries("gap_fade")
    assert isinstance(failure, Failure)
    assert "not the one that was registered" in failure.what


def test_a_folder_that_is_gone_is_fetched_anew_from_the_store(
    registry: Registry, keep: Keep
) -> None:
    keep()
    folder = registry.get("gap_fade", 1).folder
    before = {one.name: one.read_bytes() for one in folder.iterdir()}
    shutil.rmtree(folder)
    assert registry.get("gap_fade", 1).folder == folder
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == before


def test_a_version_that_a_crash_left_half_done_is_not_there(registry: Registry, keep: Keep) -> None:
    keep()
    registry._client.create_model_version("gap_fade", "file:///nowhere")
    assert [getattr(one, "version", None) for one in registry.entries("gap_fade")] == [1]
    with pytest.raises(Failure, match="no such model"):
        registry.get("gap_fade", 2)
    assert registry.get("gap_fade").version == 1


def test_names_aliases_and_versions_that_are_not_there_are_told(
    registry: Registry, keep: Keep
) -> None:
    keep()
    with pytest.raises(Failure) as refused:
        registry.get("gap_fad")
    assert refused.value.expected == "a name such as gap_fade"
    with pytest.raises(Failure, match="nothing was promoted yet"):
        registry.get("gap_fade", "production")
    with pytest.raises(Failure) as refused:
        registry.get("gap_fade", 7)
    assert refused.value.code == ExitCode.REGISTRY
    assert (refused.value.where, refused.value.expected) == (
        "gap_fade@7", "a version up to gap_fade@1",
    )  # fmt: skip


def test_who_serves_needs_the_folder_only(registry: Registry, keep: Keep, root: Path) -> None:
    keep()
    assert published.current(root, "gap_fade", "challenger") is None
    registry.challenge("gap_fade", 1, at=registry.get("gap_fade", 1).manifest.created)
    path = published.current(root, "gap_fade", "challenger")
    assert path is not None
    assert path.read_bytes() == encode(registry.get("gap_fade", 1).manifest)
    (root / "models" / "gap_fade" / published.ALIASES).write_text("{")
    with pytest.raises(Failure, match="aliases of a model"):
        published.current(root, "gap_fade", "challenger")
    registry.aliases("gap_fade")
    assert published.current(root, "gap_fade", "challenger") == path


def test_an_alias_to_a_damaged_version_is_not_handed_to_who_serves(
    registry: Registry, keep: Keep, root: Path
) -> None:
    keep()
    registry.challenge("gap_fade", 1, at=registry.get("gap_fade", 1).manifest.created)
    (registry.get("gap_fade", 1).folder / "model.txt").write_bytes(b"tree")
    assert registry.aliases("gap_fade") == {"challenger": 1}
    assert published.current(root, "gap_fade", "challenger") is None
