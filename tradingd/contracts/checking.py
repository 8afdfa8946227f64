"""Check documents and files: schema, version, promotion, rules, in one verdict."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tradingd.contracts import guards
from tradingd.contracts.finding import candidates, of_version
from tradingd.contracts.folder import Contracts
from tradingd.contracts.reading import decode, lines, read_document
from tradingd.contracts.rules import Explanation, Rule, evaluate
from tradingd.contracts.schemas import Schema, local
from tradingd.contracts.validator import MAX_PROBLEMS, Checker, Problem, check_schema, draft_of
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one document or file.

    `contract` is empty where it is under none. `documents` counts the lines of a ``.jsonl`` file.
    `problems` are at most `MAX_PROBLEMS`; of a file that could not be read there is one, with
    the rule ``unreadable``. `rules` are those that were asked; of a ``.jsonl`` file only those
    that did not pass.
    """

    where: str
    ok: bool
    contract: str = ""
    schema: str = ""
    schema_version: str = ""
    documents: int = 1
    problems: tuple[Problem, ...] = ()
    rules: tuple[Explanation, ...] = ()
    notes: tuple[str, ...] = ()


def check(
    document: Any,
    contracts: Contracts,
    name: str = "",
    *,
    rules: Sequence[str] = (),
    where: str = "",
) -> Verdict:
    """Check one decoded document.

    Parameters
    ----------
    document : Any
        Decoded JSON: dicts, lists, texts, numbers, booleans, None.
    contracts : Contracts
        A folder, from `tradingd.contracts.folder.load`.
    name : str
        Contract it must satisfy; empty: the one it names itself.
    rules : sequence of str
        Rules that must pass, beside those that bind by themselves.
    where : str
        What a person shall read as its place.

    Raises
    ------
    Failure
        CONTRACT when there is no such contract or rule, or a schema cannot be applied.
    """
    return _Session(contracts, name, rules).verdict(document, where or name, None)


def check_file(
    path: Path, contracts: Contracts, name: str = "", *, rules: Sequence[str] = ()
) -> Verdict:
    """Check a ``.json``, ``.jsonl`` or ``.parquet`` file; any other is read as JSON.

    A file that cannot be read is no exception: its verdict says why.

    Raises
    ------
    Failure
        CONTRACT as of `check`.
    """
    session = _Session(contracts, name, rules)
    if path.name.endswith(".jsonl"):
        return _of_lines(path, session)
    try:
        document = _read(path)
    except Failure as failure:
        return unreadable(str(path), failure)
    return session.verdict(document, str(path), path)


def unreadable(where: str, failure: Failure) -> Verdict:
    """Return the verdict on what could not be read."""
    text = " | ".join(one for one in (failure.what, failure.found) if one)
    return Verdict(
        where=where,
        ok=False,
        documents=0,
        problems=(Problem(path="$", rule="unreadable", message=text),),
    )


def _read(path: Path) -> Any:
    if path.name.endswith(".parquet"):
        from tradingd.contracts.parquet import describe

        return describe(path)
    return read_document(path)


def _of_lines(path: Path, session: "_Session") -> Verdict:
    """Check a file line by line, holding one."""
    count, problems, rules, notes = 0, [], [], {}
    contract = schema = version = ""
    for number, one in _line_verdicts(path, session):
        count += one.documents
        problems += [msgspec.structs.replace(problem, line=number) for problem in one.problems]
        rules += [rule for rule in one.rules if not rule.passed]
        notes.update(dict.fromkeys(one.notes))
        contract, schema = contract or one.contract, schema or one.schema
        version = version or one.schema_version
        if len(problems) >= MAX_PROBLEMS or len(rules) >= MAX_PROBLEMS:
            notes[f"stopped at line {number}: enough was found"] = None
            break
    return Verdict(
        where=str(path),
        ok=not problems and all(one.passed or not one.binding for one in rules),
        contract=contract,
        schema=schema,
        schema_version=version,
        documents=count,
        problems=tuple(problems),
        rules=tuple(rules),
        notes=tuple(notes),
    )


def _line_verdicts(path: Path, session: "_Session") -> Iterator[tuple[int, Verdict]]:
    number = 0
    try:
        for number, line in lines(path):
            try:
                document = decode(line, where=f"{path}:{number}")
            except Failure as failure:
                yield number, unreadable(f"{path}:{number}", failure)
                continue
            yield number, session.verdict(document, f"{path}:{number}", path)
    except Failure as failure:
        if failure.where and not failure.where.startswith(str(path)):
            raise
        yield number, unreadable(str(path), failure)


class _Session:
    """The checks of one file: every schema is made ready once."""

    def __init__(self, contracts: Contracts, name: str, rules: Sequence[str]) -> None:
        self._contracts = contracts
        self._name = name
        self._asked = [contracts.rule(one) for one in rules]
        self._checkers: dict[str, Checker] = {}

    def verdict(self, document: Any, where: str, file: Path | None) -> Verdict:
        if not self._name and (draft := draft_of(document)):
            return _of_schema(document, draft, where)
        found, problem = candidates(document, self._contracts, name=self._name, file=file)
        if not found:
            said = [problem] if problem else [_under_none()]
            return Verdict(where=where, ok=False, problems=tuple(said))
        version = document.get("schema_version") if isinstance(document, dict) else None
        schema = of_version(found, version) or found[-1]
        guarded = (
            guards.version_problem(document, found),
            guards.alias_problem(document, schema.name),
        )
        problems = _distinct([one for one in guarded if one], self._broken(schema, document))
        explained = [self._explained(rule, document, schema, where) for rule in self._rules(schema)]
        return Verdict(
            where=where,
            ok=not problems and all(one.passed or not one.binding for one in explained),
            contract=schema.name,
            schema=schema.path,
            schema_version="" if version is None else str(version)[:60],
            problems=tuple(problems),
            rules=tuple(explained),
            notes=tuple(_notes(schema, version)),
        )

    def _broken(self, schema: Schema, document: Any) -> list[Problem]:
        if schema.path not in self._checkers:
            self._checkers[schema.path] = self._checker(schema)
        return self._checkers[schema.path].problems(document)

    def _checker(self, schema: Schema) -> Checker:
        part = self._name.partition("#")[2]
        _require_part(schema, part)
        document = {"$ref": f"{schema.uri}#{part}"} if part else schema.document
        return Checker(document, schema.draft, self._contracts.registry, schema.uri)

    def _explained(self, rule: Rule, document: Any, schema: Schema, where: str) -> Explanation:
        try:
            one = evaluate(rule, document)
        except Failure as failure:
            failure.where = f"{failure.where} on {where}"
            raise
        if rule in self._asked:
            return msgspec.structs.replace(one, binding=True)
        if rule.when is None and guards.is_model_not_promoted(document, schema.name):
            return msgspec.structs.replace(one, binding=False)
        return one

    def _rules(self, schema: Schema) -> list[Rule]:
        bound = [one for one in self._contracts.rules if applies(one, schema)]
        return bound + [one for one in self._asked if one not in bound]


def _require_part(schema: Schema, part: str) -> None:
    """Refuse ``NAME#/$defs/PART`` where the schema has no such part.

    Raises
    ------
    Failure
        CONTRACT.
    """
    if not part or local(f"#{part}", schema.document) is not None:
        return
    known = [
        f"/{top}/{name}"
        for top in ("$defs", "definitions")
        for name in _parts(schema.document, top)
    ]
    guess = nearest(part, known)
    raise Failure(
        "a contract has no such part",
        code=ExitCode.CONTRACT,
        where=schema.path,
        expected=", ".join(known) or "no part: the schema has neither $defs nor definitions",
        found=part,
        next_step=f"--as '{schema.name}#{guess}'" if guess else "tradingd contracts list",
    )


def _parts(document: Any, top: str) -> list[str]:
    found = document.get(top) if isinstance(document, dict) else None
    return list(found) if isinstance(found, dict) else []


def _of_schema(document: Any, draft: str, where: str) -> Verdict:
    """Judge a document that is a schema itself, by its draft."""
    try:
        check_schema(document, draft, where)
    except Failure as failure:
        said = (Problem(path="$", rule="schema", message=f"{failure.what}: {failure.found}"),)
        return Verdict(where=where, ok=False, contract=f"JSON Schema {draft}", problems=said)
    return Verdict(where=where, ok=True, contract=f"JSON Schema {draft}")


def applies(rule: Rule, schema: Schema) -> bool:
    """Whether a rule is about documents of a schema.

    It names them in `applies_to`; a rule that names none is about those whose schema declares
    every variable that it reads (the first word of each path).
    """
    if rule.applies_to:
        return schema.name in rule.applies_to
    declared = schema.document.get("properties") if isinstance(schema.document, dict) else None
    words = {one.split(".")[0] for one in rule.variables}
    return bool(words) and isinstance(declared, dict) and words <= declared.keys()


def _distinct(guarded: list[Problem], broken: list[Problem]) -> list[Problem]:
    """Leave out what a guard says better: the keyword that fails for the same reason."""
    said = {one.path for one in guarded}
    rest = [one for one in broken if one.path not in said]
    return (guarded + rest)[:MAX_PROBLEMS]


def _under_none() -> Problem:
    return Problem(
        path="$",
        rule="contract",
        message="under no contract: it names none, and neither does its file name; --as NAME",
    )


def _notes(schema: Schema, version: Any) -> Iterator[str]:
    if version is not None and not schema.versions.stated:
        yield f"{schema.path} does not say which schema_version it knows"
