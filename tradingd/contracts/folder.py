"""A folder of contracts, ours or somebody else's: read whole, checked whole, before any use."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec

from tradingd.contracts import references, seal
from tradingd.contracts.place import contracts_folder
from tradingd.contracts.reading import read_document
from tradingd.contracts.rules import Rule, rule_of
from tradingd.contracts.schemas import Schema, schema_of
from tradingd.contracts.validator import check_schema
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

MAX_SCHEMA_BYTES: Final = 8 * 1024 * 1024
MAX_FILES: Final = 2_000

_RULE_ENDINGS: Final = (".rule.json", ".rules.json", ".jsonlogic.json", ".jsonlogic", ".logic.json")
_NOT_CONTRACTS: Final = frozenset({"fixtures", "examples", "tests", "test", "node_modules"})


class Contracts(msgspec.Struct, frozen=True, kw_only=True):
    """A folder that was read. `sealed`: it has checksums, and they fit. `notes`: what to know."""

    root: Path
    schemas: tuple[Schema, ...]
    rules: tuple[Rule, ...]
    sealed: bool
    notes: tuple[str, ...]
    registry: Any

    def named(self, name: str) -> list[Schema]:
        """Return the versions of a contract, by the order of their files."""
        return [one for one in self.schemas if one.name == name]

    def names(self) -> list[str]:
        """Return the names of all contracts."""
        return sorted({one.name for one in self.schemas})

    def rule(self, name: str) -> Rule:
        """Return a rule by its name.

        Raises
        ------
        Failure
            CONTRACT when there is none.
        """
        for one in self.rules:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.rules) or "none"
        raise Failure(
            "there is no such rule",
            code=ExitCode.CONTRACT,
            where=str(self.root),
            expected=known,
            found=name,
        )


def load(folder: Path | None = None, *, sealed: bool = True) -> Contracts:
    """Read a folder of schemas and rules; None: the packaged one.

    Where the folder has `schemas/` and `rules/`, these are read, else the whole folder but for
    fixtures and hidden files. `sealed=False` passes over checksums, to write them anew.

    Raises
    ------
    Failure
        CONTRACT: checksums that do not fit, a schema or rule that is itself unsound, a reference
        that leads nowhere or out of the folder, no schema at all. UNREADABLE_INPUT: no JSON.
    """
    root = contracts_folder(folder)
    paths = sorted(_contract_files(root))
    documents = {path: read_document(root / path, max_bytes=MAX_SCHEMA_BYTES) for path in paths}
    rules = [path for path in paths if _is_rule(path)]
    schemas = [
        schema_of(path, documents[path])
        for path in paths
        if path not in rules and _is_schema(path, documents[path])
    ]
    if not schemas:
        raise _empty(root)
    stated = seal.read_seal(root) if sealed else None
    known = {one.path: one.document for one in schemas}
    if stated is not None:
        # Before anything of them is used, and before a broken one is called broken.
        seal.check_seal(root, stated, [*known, *rules, *_reached_names(root, stated)])
    for one in schemas:
        check_schema(one.document, one.draft, one.path)
    registry = references.registry_of(root, known)
    _check_references(schemas, registry)
    read = _unique([rule_of(path, documents[path]) for path in rules])
    found = Contracts(
        root=root,
        schemas=tuple(schemas),
        rules=read,
        sealed=stated is not None,
        notes=(
            *_notes(schemas, stated is not None),
            *_passed_by(root),
            *_unasked(read, schemas),
        ),
        registry=registry,
    )
    if stated is not None:
        # Files outside the folders of schemas that a reference reaches.
        seal.check_seal(root, stated, sealable(found))
    return found


def sealable(contracts: Contracts) -> list[str]:
    """Return every file that the contracts consist of: schemas, rules, and what they refer to."""
    found = {one.path for one in contracts.schemas} | {one.path for one in contracts.rules}
    for schema in contracts.schemas:
        reached = references.check_references(contracts.registry, schema.uri, schema.path)
        found |= {path for uri in reached if (path := _path_of(uri, contracts))}
    return sorted(found)


def _path_of(uri: str, contracts: Contracts) -> str:
    known = {one.uri: one.path for one in contracts.schemas}
    if uri in known:
        return known[uri]
    path = references.within(uri, {one.path: one.document for one in contracts.schemas})
    return os.path.normpath(path) if path else ""


def _reached_names(root: Path, stated: dict[str, str]) -> list[str]:
    """Names in the checksums that lie beside the folders of schemas: files they refer to."""
    tops = [f"{top}/" for top in _tops(root)]
    return [name for name in stated if tops and not name.startswith(tuple(tops))]


def _tops(root: Path) -> list[str]:
    return (
        [name for name in ("schemas", "rules") if (root / name).is_dir()]
        if (root / "schemas").is_dir()
        else []
    )


def _contract_files(root: Path) -> Iterator[str]:
    count = 0
    for top in [root / name for name in _tops(root)] or [root]:
        # Links to folders are not followed: they may turn in a circle, or lead out.
        for folder, inner, names in os.walk(top):
            inner[:] = [one for one in inner if one not in _NOT_CONTRACTS and one[0] != "."]
            for name in names:
                if name.endswith((".json", ".jsonlogic")) and name[0] != ".":
                    count += 1
                    if count > MAX_FILES:
                        raise _too_many(root)
                    path = Path(folder, name)
                    if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
                        raise _leads_out(path)
                    yield path.relative_to(root).as_posix()


def _is_rule(path: str) -> bool:
    place = PurePosixPath(path)
    return "rules" in place.parts[:-1] or place.name.endswith(_RULE_ENDINGS)


def _is_schema(path: str, document: Any) -> bool:
    """Whether a file is a schema: it says so, or is called so, or lies among schemas."""
    if not isinstance(document, dict | bool):
        return False
    stated = document.get("$schema") if isinstance(document, dict) else None
    if isinstance(stated, str):
        return "json-schema.org" in stated or path.endswith(".schema.json")
    return path.endswith(".schema.json") or path.startswith("schemas/")


def _check_references(schemas: list[Schema], registry: Any) -> None:
    places: dict[str, str] = {}
    for one in schemas:
        if one.uri in places:
            raise Failure(
                "two schemas have the same $id",
                code=ExitCode.CONTRACT,
                where=one.path,
                expected="one file per $id",
                found=f"{one.uri} is {places[one.uri]} too",
            )
        places[one.uri] = one.path
        references.check_references(registry, one.uri, one.path)


def _unique(rules: list[Rule]) -> tuple[Rule, ...]:
    seen: dict[str, str] = {}
    for one in rules:
        if one.name in seen:
            raise Failure(
                "two rules have the same name",
                code=ExitCode.CONTRACT,
                where=one.path,
                expected="one file per rule",
                found=f"{one.name} is in {seen[one.name]} too",
            )
        seen[one.name] = one.path
    return tuple(rules)


def _notes(schemas: list[Schema], sealed: bool) -> Iterator[str]:
    if not sealed:
        yield "the folder has no SHA256SUMS: edits of its schemas and rules go unnoticed"
    for one in schemas:
        if not one.draft_stated:
            yield f"{one.path} names no draft: read as JSON Schema {one.draft}"


def _passed_by(root: Path) -> Iterator[str]:
    """Tell of rules and checksums beside a folder of schemas that was named without them."""
    beside = [name for name in ("rules", seal.FILE_NAME) if (root.parent / name).exists()]
    if root.name == "schemas" and beside:
        yield f"{' and '.join(beside)} beside {root} are passed by: name {root.parent}"


def _unasked(rules: Iterable[Rule], schemas: list[Schema]) -> Iterator[str]:
    """Tell of contracts that rules name and the folder does not have: a slip opens the gate."""
    names = {one.name for one in schemas}
    for rule in rules:
        for name in rule.applies_to:
            if name not in names:
                guess = nearest(name, names)
                hint = f"; did you mean {guess}?" if guess else ""
                yield f"{rule.path} applies to {name!r}, which is no contract of the folder{hint}"


def _leads_out(path: Path) -> Failure:
    return Failure(
        "a contract is a link that leads out of its folder",
        code=ExitCode.CONTRACT,
        where=str(path),
        expected="a file of the folder",
        found=str(path.resolve()),
        next_step="copy the file into the folder",
    )


def _empty(root: Path) -> Failure:
    return Failure(
        "a folder of contracts has no schema",
        code=ExitCode.CONTRACT,
        where=str(root),
        expected="files with a $schema of draft-07 or 2020-12, or named *.schema.json",
        found="none",
        next_step="git submodule update --init, if it is a submodule",
    )


def _too_many(root: Path) -> Failure:
    return Failure(
        "a folder has more files than contracts would",
        code=ExitCode.CONTRACT,
        where=str(root),
        expected=f"at most {MAX_FILES:,} JSON files",
        found="more",
        next_step="name the folder of schemas itself",
    )
