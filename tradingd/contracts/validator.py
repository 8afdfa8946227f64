"""Check a document against one schema: the draft its `$schema` names, bounded, offline.

Kept library: jsonschema. Around it stand what a hostile pair of schema and document would abuse:
patterns in linear time, distinctness by hashing, a budget of steps, references that never leave
the folder.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from tradingd.contracts import patterns
from tradingd.contracts.references import BASE, unresolvable, unresolved
from tradingd.kits.failure import ExitCode, Failure

MAX_PROBLEMS: Final = 100
"""Violations looked for in one document; a wrong document of a million rows has a million."""

_REPEATED_GROUP: Final = re.compile(r"\)[*+{?]")

DRAFTS: Final = {
    "json-schema.org/draft-07/schema": "draft-07",
    "json-schema.org/draft/2020-12/schema": "2020-12",
}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One violation.

    `path` is the place in the document (``$.columns.bid_px_00.type``), `rule` the keyword or
    check that was broken, `line` that of a ``.jsonl`` file.
    """

    path: str
    rule: str
    message: str
    line: int | None = None


def draft_of(schema: Any) -> str | None:
    """Return the draft a schema names, None where it names another or none."""
    stated = schema.get("$schema") if isinstance(schema, dict) else None
    if not isinstance(stated, str):
        return None
    return DRAFTS.get(stated.rstrip("#").partition("://")[2])


def check_schema(schema: Any, draft: str, where: str) -> None:
    """Refuse what is no schema of its draft.

    Raises
    ------
    Failure
        CONTRACT, naming the place within the schema.
    """
    from jsonschema.exceptions import SchemaError

    try:
        _class(draft).check_schema(schema)
    except (SchemaError, RecursionError) as error:
        place = path_of(error.absolute_path) if isinstance(error, SchemaError) else ""
        found = error.message if isinstance(error, SchemaError) else "endless nesting"
        raise Failure(
            "a schema is itself invalid",
            code=ExitCode.CONTRACT,
            where=f"{where} {place}".strip(),
            expected=f"JSON Schema {draft}",
            found=found[:300],
        ) from error
    _check_patterns(schema, where)


def _check_patterns(schema: Any, where: str) -> None:
    """Compile every regular expression now, not only when a document happens to reach it."""
    # The library asks Python's `re` which properties a subschema has evaluated.
    backtracks = any("unevaluatedProperties" in one for one in _objects(schema))
    found = [(name, child) for one in _objects(schema) for name, child in one.items()]
    for name, child in found:
        texts = child if name == "patternProperties" and isinstance(child, dict) else ()
        for text in [child] if name == "pattern" and isinstance(child, str) else texts:
            try:
                patterns.matches(text, "")
                if backtracks and _REPEATED_GROUP.search(text):
                    raise _may_run_for_ever(text)
            except Failure as failure:
                failure.where = f"{where} {failure.where}"
                raise


def _may_run_for_ever(text: str) -> Failure:
    return Failure(
        "a pattern beside unevaluatedProperties repeats a group, and could run for ever",
        code=ExitCode.CONTRACT,
        where=repr(text[:100]),
        next_step="use additionalProperties, or a pattern without a repeated group",
    )


def _objects(document: Any) -> Iterator[dict[str, Any]]:
    pending = [document]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            yield one
        if isinstance(one, dict | list):
            pending += one.values() if isinstance(one, dict) else one


class Checker:
    """One schema, ready for any number of documents.

    Parameters
    ----------
    schema : Any
        The schema, or a reference into one: ``{"$ref": "URI#/$defs/Status"}``.
    draft : str
        ``draft-07`` or ``2020-12``.
    registry : referencing.Registry
        Of the folder.
    uri : str
        Base of the schema's own references.
    """

    def __init__(self, schema: Any, draft: str, registry: Any, uri: str) -> None:
        # The host of a schema without $id is ours and means nothing to a person.
        self._place = uri.removeprefix(BASE)
        self._budget = _Budget()
        kind = _bounded_classes(self._budget)[draft]
        self._validator = kind(schema, registry=registry, format_checker=_formats()).evolve(
            _resolver=registry.resolver(uri)
        )

    def problems(self, document: Any) -> list[Problem]:
        """Return how a document breaks the schema; empty: it does not. At most `MAX_PROBLEMS`.

        Raises
        ------
        Failure
            CONTRACT when a reference leads nowhere or out of the folder, or the check has no end.
        """
        self._budget.steps = 100_000 + 1_000 * _size(document)
        errors = self._validator.iter_errors(document)
        try:
            found = [_problem(one) for one in itertools.islice(errors, MAX_PROBLEMS)]
        except RecursionError as error:
            raise _endless(self._place) from error
        except Failure as failure:
            failure.where = failure.where or self._place
            raise
        except unresolvable() as error:
            raise unresolved(self._place, error) from error
        return sorted(found, key=lambda one: one.path)


def _problem(error: Any) -> Problem:
    return Problem(
        path=path_of(error.absolute_path),
        rule=str(error.validator or "false"),
        message=_text(error),
    )


def _text(error: Any) -> str:
    message = _short(error.message)
    if error.validator == "const":
        return f"{_short(repr(error.instance))} found, {message}"
    if not error.context:
        return message
    nearest = min(error.context, key=lambda one: (-len(one.absolute_path), str(one.message)))
    place = path_of(nearest.absolute_path)
    return f"fits none of its forms; nearest: {place} {_short(nearest.message)}"


def _short(text: str) -> str:
    return text if len(text) <= 240 else f"{text[:160]} ... {text[-70:]}"


def path_of(words: Any) -> str:
    """Return a JSON path: ``$.messages[3][0]``."""
    return "$" + "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in words)


def _size(document: Any) -> int:
    count, pending = 0, [document]
    while pending:
        one = pending.pop()
        count += 1
        if isinstance(one, dict | list):
            pending += one.values() if isinstance(one, dict) else one
    return count


class _Budget:
    """Steps that a check may still take."""

    steps = 0

    def spend(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise _endless("")


def _endless(uri: str) -> Failure:
    return Failure(
        "a schema takes more steps than its document could need",
        code=ExitCode.CONTRACT,
        where=uri,
        found="references that turn in a circle, or alternatives that multiply",
        next_step="simplify the schema",
    )


def _class(draft: str) -> Any:
    import jsonschema

    kinds = {
        "draft-07": jsonschema.Draft7Validator,
        "2020-12": jsonschema.Draft202012Validator,
    }
    return kinds[draft]


def _bounded_classes(budget: _Budget) -> dict[str, Any]:
    """Return the validators of all drafts with our keywords in them, spending one budget."""
    import attrs
    from jsonschema import validators

    kinds: dict[str, Any] = {}
    taken = [one for one in attrs.fields(_class("2020-12")) if one.init]
    fields = [(one.name, one.alias or one.name) for one in taken]

    def evolve(self: Any, **changes: Any) -> Any:
        # The library's own would go back to its unbounded class at every `$schema`.
        schema = changes.setdefault("schema", self.schema)
        for name, alias in fields:
            if alias not in changes:
                changes[alias] = getattr(self, name)
        return kinds.get(draft_of(schema) or "", type(self))(**changes)

    for draft in DRAFTS.values():
        kind = _class(draft)
        ours: dict[str, Callable[..., Any]] = {
            **kind.VALIDATORS,
            "pattern": patterns.keyword_pattern,
            "patternProperties": patterns.keyword_pattern_properties,
            "additionalProperties": patterns.keyword_additional_properties,
            "uniqueItems": _keyword_unique_items,
        }
        counted = {name: _counted(function, budget) for name, function in ours.items()}
        # The published stubs leave `extend` without types.
        kinds[draft] = validators.extend(kind, counted)  # type: ignore[no-untyped-call]
        kinds[draft].evolve = evolve
    return kinds


def _counted(function: Callable[..., Any], budget: _Budget) -> Callable[..., Any]:
    def keyword(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        budget.spend()
        return function(validator, value, instance, schema)

    return keyword


def _keyword_unique_items(validator: Any, wanted: Any, instance: Any, _schema: Any) -> Any:
    """Check the keyword ``uniqueItems`` by hashing; the library compares all pairs."""
    from jsonschema import ValidationError

    if wanted and validator.is_type(instance, "array"):
        if len({_identity(one) for one in instance}) < len(instance):
            yield ValidationError("a list has the same item twice")


def _identity(value: Any) -> Any:
    """Return a hashable that is equal for values that JSON Schema takes for equal."""
    if isinstance(value, dict):
        return ("{}", frozenset((name, _identity(one)) for name, one in value.items()))
    if isinstance(value, list):
        return ("[]", tuple(_identity(one) for one in value))
    return (isinstance(value, bool), value)


def _formats() -> Any:
    """Return the formats that are enforced; others are told, not checked, as the drafts allow."""
    from datetime import date, datetime
    from uuid import UUID

    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())

    @checker.checks("date", raises=ValueError)
    def _date(value: object) -> bool:
        return not isinstance(value, str) or (len(value) == 10 and bool(date.fromisoformat(value)))

    @checker.checks("date-time", raises=ValueError)
    def _date_time(value: object) -> bool:
        if not isinstance(value, str):
            return True
        return "T" in value.upper() and datetime.fromisoformat(value.upper()).tzinfo is not None

    @checker.checks("uuid", raises=ValueError)
    def _uuid(value: object) -> bool:
        return not isinstance(value, str) or str(UUID(value)) == value.lower()

    return checker
