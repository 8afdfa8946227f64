"""One schema of a folder: its name, its draft, which documents and versions it speaks for."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

import msgspec

from tradingd.contracts.patterns import matches
from tradingd.contracts.references import uri_of
from tradingd.contracts.validator import draft_of
from tradingd.kits.failure import ExitCode, Failure

DEFAULT_DRAFT: Final = "2020-12"

_VERSION_LABEL: Final = re.compile(r"^(?P<name>.+?)[.-]v(?P<major>[0-9]{1,4})$")


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """Which `schema_version` a schema knows; nothing stated: any (and the verdict says so)."""

    values: tuple[Any, ...] = ()
    pattern: str = ""
    major: str = ""

    @property
    def stated(self) -> bool:
        """Whether the schema says anything about versions."""
        return bool(self.values or self.pattern or self.major)

    def know(self, version: Any) -> bool:
        """Whether a document of this version may be read by the schema."""
        if self.values:
            # 1 and True are equal to Python, and no version is either.
            return any(type(one) is type(version) and one == version for one in self.values)
        if self.pattern:
            return isinstance(version, str) and matches(self.pattern, version)
        if isinstance(version, bool) or not isinstance(version, str | int):
            return False
        return not self.major or str(version).removeprefix("v").split(".")[0] == self.major

    def text(self) -> str:
        """Return them for a person."""
        if self.values:
            return ", ".join(map(str, self.values))
        return f"/{self.pattern}/" if self.pattern else f"{self.major}.*" if self.major else "any"


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """A schema file. `path` is relative to the folder; `files` are patterns of file names."""

    name: str
    path: str
    draft: str
    draft_stated: bool
    uri: str
    title: str
    files: tuple[str, ...]
    versions: Versions
    document: Any


def schema_of(path: str, document: Any) -> Schema:
    """Return what a schema file says about itself.

    Its `x-contract` object, or the same keys prefixed by ``x-`` (`x-name`, `x-files`,
    `x-schema-versions`), may name it and its documents; else the file name does:
    ``NAME[.vMAJOR][.schema].json``.

    Raises
    ------
    Failure
        CONTRACT when it names another draft than those that are known.
    """
    draft = draft_of(document)
    stated = isinstance(document, dict) and "$schema" in document
    if draft is None and stated:
        raise Failure(
            "a schema is of a draft that is not known here",
            code=ExitCode.CONTRACT,
            where=path,
            expected="draft-07 or 2020-12",
            found=repr(document["$schema"])[:120],
        )
    name, major = _name_of(path)
    facts = _facts(document)
    return Schema(
        name=str(facts.get("name") or name),
        path=path,
        draft=draft or DEFAULT_DRAFT,
        draft_stated=stated,
        uri=uri_of(path, document),
        title=str(document.get("title", "")) if isinstance(document, dict) else "",
        files=_texts(facts.get("files")) or _usual_files(str(facts.get("name") or name)),
        versions=_versions(document, facts, major),
        document=document,
    )


def _name_of(path: str) -> tuple[str, str]:
    name = PurePosixPath(path).name.removesuffix(".json").removesuffix(".schema")
    label = _VERSION_LABEL.match(name)
    return (label["name"], label["major"]) if label else (name, "")


def _facts(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        return {}
    prefixed = {
        "name": document.get("x-name"),
        "files": document.get("x-files"),
        "versions": document.get("x-schema-versions"),
    }
    stated = document.get("x-contract")
    given = {key: value for key, value in prefixed.items() if value is not None}
    return {**given, **(stated if isinstance(stated, dict) else {})}


def _texts(value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    return tuple(one for one in texts if isinstance(one, str)) if isinstance(texts, list) else ()


def _usual_files(name: str) -> tuple[str, ...]:
    names = dict.fromkeys((name, name.replace("-", "_"), name.replace("_", "-")))
    return tuple(f"{one}.{ending}" for one in names for ending in ("json", "jsonl", "parquet"))


def _versions(document: Any, facts: Mapping[str, Any], major: str) -> Versions:
    field = _version_field(document, document)
    if "const" in field:
        return Versions(values=(field["const"],))
    if isinstance(field.get("enum"), list):
        return Versions(values=tuple(field["enum"]))
    if listed := facts.get("versions"):
        return Versions(values=tuple(listed) if isinstance(listed, list) else (listed,))
    if isinstance(field.get("pattern"), str):
        return Versions(pattern=field["pattern"])
    return Versions(major=major)


def _version_field(part: Any, whole: Any, depth: int = 0) -> dict[str, Any]:
    """Return what is said of `schema_version`, there or behind `$ref` and `allOf`."""
    if not isinstance(part, dict) or depth > 8:
        return {}
    field = part.get("properties", {})
    field = field.get("schema_version") if isinstance(field, dict) else None
    if isinstance(field, dict):
        target = local(field.get("$ref"), whole)
        return {**(target if isinstance(target, dict) else {}), **field}
    others = [local(part.get("$ref"), whole), *_list(part.get("allOf"))]
    return next((one for one in (_version_field(x, whole, depth + 1) for x in others) if one), {})


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def local(reference: Any, whole: Any) -> Any:
    """Return what ``#/$defs/PART`` means within a schema, None: nothing."""
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    found = whole
    for word in reference[2:].split("/"):
        found = (
            found.get(word.replace("~1", "/").replace("~0", "~"))
            if isinstance(found, dict)
            else None
        )
    return found
