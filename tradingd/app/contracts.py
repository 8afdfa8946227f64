"""Check files and folders against a folder of contracts, list it, seal it."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tradingd.contracts.checking import Verdict, applies, check_file
from tradingd.contracts.folder import Contracts, load, sealable
from tradingd.contracts.seal import FILE_NAME, read_seal, write_seal
from tradingd.kits.failure import ExitCode, Failure

_NAMED: Final = 5
"""Files under no contract that a note names; `under_none` has all."""

ENDINGS = (".json", ".jsonl", ".parquet")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `tradingd contracts validate` found.

    `verdicts` are those on documents under a contract, the bad ones first; `under_none` files of
    a folder that are under none, which are no error unless nothing at all was checked.
    """

    exit_code: int
    contracts: str
    sealed: bool
    files: int
    documents: int
    good: int
    bad: int
    under_none: tuple[str, ...]
    notes: tuple[str, ...]
    verdicts: tuple[Verdict, ...]


class SchemaRow(msgspec.Struct, frozen=True, kw_only=True):
    """One schema: `versions` are the `schema_version` it knows, `rules` those that apply."""

    name: str
    path: str
    draft: str
    versions: str
    files: tuple[str, ...]
    rules: tuple[str, ...]
    title: str


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: the contracts it applies to and the variables it reads."""

    name: str
    path: str
    applies_to: tuple[str, ...]
    binds: str
    variables: tuple[str, ...]
    description: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What `tradingd contracts list` shows."""

    contracts: str
    sealed: bool
    notes: tuple[str, ...]
    schemas: tuple[SchemaRow, ...]
    rules: tuple[RuleRow, ...]


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What `tradingd contracts seal` wrote, and how it differs from before."""

    path: str
    files: int
    changed: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]


def validate(
    paths: Sequence[Path],
    folder: Path | None = None,
    *,
    name: str = "",
    rules: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Report:
    """Check files, and all JSON, JSON lines and Parquet files of folders.

    Raises
    ------
    Failure
        UNREADABLE_INPUT when there is no such file or folder; CONTRACT as of
        `tradingd.contracts.folder.load`.
    """
    contracts = load(folder)
    files = [one for path in paths for one in _files(path)]
    verdicts, under_none = [], []
    for done, file in enumerate(files, start=1):
        verdict = check_file(file, contracts, name, rules=rules)
        if _under_none(verdict) and file not in paths:
            under_none.append(str(file))
        else:
            verdicts.append(verdict)
        progress(done, len(files))
    bad = sum(not one.ok for one in verdicts)
    return Report(
        exit_code=ExitCode.CONTRACT if bad or not verdicts else ExitCode.OK,
        contracts=str(contracts.root),
        sealed=contracts.sealed,
        files=len(files),
        documents=sum(one.documents for one in verdicts),
        good=len(verdicts) - bad,
        bad=bad,
        under_none=tuple(under_none),
        notes=tuple(_notes(contracts, verdicts, under_none)),
        verdicts=tuple(sorted(verdicts, key=lambda one: one.ok)),
    )


def _files(path: Path) -> Iterator[Path]:
    """Yield a file as it is, a folder's files by path; links to folders are not followed."""
    if not path.is_dir():
        if not os.path.lexists(path):
            raise Failure(
                "there is no such file or folder",
                code=ExitCode.UNREADABLE_INPUT,
                where=str(path),
                expected="a .json, .jsonl or .parquet file, or a folder of them",
                found="nothing",
            )
        yield path
        return
    found = []
    for folder, inner, names in os.walk(path):
        inner[:] = [one for one in inner if one[0] != "."]
        found += [Path(folder, one) for one in names if one[0] != "." and one.endswith(ENDINGS)]
    yield from sorted(found)


def _under_none(verdict: Verdict) -> bool:
    """Whether it is about a document that names no contract and is named like none."""
    only = verdict.problems[0] if verdict.problems else None
    return not verdict.contract and only is not None and (only.path, only.rule) == ("$", "contract")


def _notes(
    contracts: Contracts, verdicts: Sequence[Verdict], under_none: Sequence[str]
) -> Iterator[str]:
    yield from contracts.notes
    yield from dict.fromkeys(note for one in verdicts for note in one.notes)
    if not verdicts:
        yield "nothing was checked: no file is under a contract"
    if under_none:
        names = ", ".join(under_none[:_NAMED]) + (", ..." if len(under_none) > _NAMED else "")
        count = len(under_none)
        said = (
            "file is under no contract, and was"
            if count == 1
            else ("files are under no contract, and were")
        )
        yield f"{count} {said} not checked: {names}"


def listing(folder: Path | None = None) -> Listing:
    """Return what a folder of contracts has.

    Raises
    ------
    Failure
        As of `tradingd.contracts.folder.load`.
    """
    contracts = load(folder)
    schemas = tuple(
        SchemaRow(
            name=one.name,
            path=one.path,
            draft=one.draft,
            versions=one.versions.text(),
            files=one.files,
            rules=tuple(rule.name for rule in contracts.rules if applies(rule, one)),
            title=one.title,
        )
        for one in sorted(contracts.schemas, key=lambda one: (one.name, one.path))
    )
    rules = tuple(
        RuleRow(
            name=rule.name,
            path=rule.path,
            applies_to=tuple(
                dict.fromkeys(one.name for one in contracts.schemas if applies(rule, one))
            ),
            binds="always; models when promoted"
            if rule.when is None
            else "when " + msgspec.json.encode(rule.when).decode(),
            variables=rule.variables,
            description=rule.description,
        )
        for rule in contracts.rules
    )
    return Listing(
        contracts=str(contracts.root),
        sealed=contracts.sealed,
        notes=contracts.notes,
        schemas=schemas,
        rules=rules,
    )


def seal(folder: Path | None = None) -> Sealed:
    """Write the checksums of a folder that is sound otherwise.

    Raises
    ------
    Failure
        CONTRACT when a schema or rule is unsound: what is broken is not sealed.
    """
    contracts = load(folder, sealed=False)
    before = read_seal(contracts.root) or {}
    after = write_seal(contracts.root, sealable(contracts))
    return Sealed(
        path=str(contracts.root / FILE_NAME),
        files=len(after),
        changed=tuple(one for one in after if one in before and before[one] != after[one]),
        added=tuple(one for one in after if one not in before),
        removed=tuple(one for one in before if one not in after),
    )
