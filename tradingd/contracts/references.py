"""`$ref`: to other files of the same folder, never further.

A schema that is fetched over the network is a schema that somebody else can change under us, and
a request that tells them what we check. Such a reference fails, whatever it points at.
"""

import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urljoin, urlsplit

from tradingd.contracts.reading import read_document
from tradingd.kits.failure import ExitCode, Failure

BASE: Final = "https://contracts.invalid/"
"""Where a schema without `$id` stands; the rest is its path within the folder. No such host can
exist (RFC 2606)."""


def unresolvable() -> type[Exception]:
    """Return the library's exception for a reference that leads nowhere, imported late."""
    from referencing.exceptions import Unresolvable

    return Unresolvable


def uri_of(path: str, document: Any) -> str:
    """Return the base URI of a schema at `path` within its folder: its `$id`, else its place."""
    stated = document.get("$id") if isinstance(document, dict) else None
    return urljoin(BASE + path, stated.rstrip("#")) if isinstance(stated, str) else BASE + path


def registry_of(root: Path, documents: Mapping[str, Any]) -> Any:
    """Return the registry of a folder: schemas by `$id` and by place, other files when asked.

    Parameters
    ----------
    root : Path
        The folder that no reference leaves.
    documents : mapping
        Path within the folder -> schema.
    """
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    def resource(document: Any) -> Any:
        return Resource.from_contents(document, default_specification=DRAFT202012)

    def retrieve(uri: str) -> Any:
        path = within(uri, documents)
        if path is None:
            raise _remote(uri)
        if path in documents:
            return resource(documents[path])
        return resource(_read_inside(root, path, uri))

    whole = {BASE + path: one for path, one in _with_parts(root, documents).items()}
    whole |= {uri_of(path, one): one for path, one in documents.items()}
    pairs = [(uri, resource(one)) for uri, one in whole.items()]
    # Crawled once: the registry never changes, and every look-up would crawl it again.
    try:
        # mypy does not see the fields of its attrs class.
        return Registry(retrieve=retrieve).with_resources(pairs).crawl()  # type: ignore[call-arg]
    except (AttributeError, TypeError, ValueError) as error:
        raise Failure(
            "a file that a $ref means is no schema",
            code=ExitCode.CONTRACT,
            where=str(root),
            found=str(error)[:200],
        ) from error


def _with_parts(root: Path, documents: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schemas and the other files of the folder that they plainly refer to."""
    found = dict(documents)
    pending = list(found)
    while pending:
        path = pending.pop()
        base = uri_of(path, found[path])
        for reference in _all_references(found[path]):
            part = within(urljoin(base, reference).partition("#")[0], found)
            name = posixpath.normpath(part) if part else ""
            if name and name not in found and _is_inside(root, name):
                found[name] = read_document(root / name)
                pending.append(name)
    return found


def _all_references(document: Any) -> list[str]:
    found, pending = [], [document]
    while pending:
        one = pending.pop()
        found += _references(one)
        if isinstance(one, dict | list):
            pending += one.values() if isinstance(one, dict) else one
    return found


def _is_inside(root: Path, path: str) -> bool:
    target = (root / path).resolve()
    return target.is_relative_to(root.resolve()) and target.is_file()


def within(uri: str, documents: Mapping[str, Any]) -> str | None:
    """Return the path within the folder that a URI means, None: it is not of this folder.

    A relative reference is resolved against the `$id` of its schema: beside
    ``https://a.example/x.json``, ``y.json`` means ``https://a.example/y.json``, and here the file
    beside the first. So it is a URI that shares the place of a schema of this folder.
    """
    if uri.startswith(BASE):
        return unquote(uri.removeprefix(BASE))
    for path, document in documents.items():
        stated = uri_of(path, document)
        place = stated.rpartition("/")[0] + "/"
        if not stated.startswith(BASE) and "/" in stated and uri.startswith(place):
            return posixpath.join(posixpath.dirname(path), unquote(uri.removeprefix(place)))
    return None


def _read_inside(root: Path, path: str, uri: str) -> Any:
    if not _is_inside(root, path):
        raise _nowhere(uri)
    return read_document(root / path)


def check_references(registry: Any, uri: str, where: str) -> set[str]:
    """Follow every reference of a schema, also those that no document reaches.

    Returns
    -------
    set of str
        URIs of the other resources that were reached.

    Raises
    ------
    Failure
        CONTRACT for one that leads nowhere or out of the folder.
    """
    from referencing import Resource
    from referencing.jsonschema import DRAFT202012

    reached: set[str] = set()
    pending = [uri]
    while pending:
        here = pending.pop()
        if here in reached:
            continue
        reached.add(here)
        try:
            top = registry.resolver(here).lookup("")
        except unresolvable() as error:
            raise unresolved(where, error) from error
        inside = [(Resource.from_contents(top.contents, DRAFT202012), top.resolver)]
        while inside:
            resource, resolver = inside.pop()
            for reference in _references(resource.contents):
                pending.append(_reach(resolver, reference, where))
            inside += [(one, resolver.in_subresource(one)) for one in resource.subresources()]
    return reached - {uri}


def _references(contents: Any) -> list[str]:
    if not isinstance(contents, dict):
        return []
    found = (contents.get("$ref"), contents.get("$dynamicRef"))
    return [one for one in found if isinstance(one, str)]


def _reach(resolver: Any, reference: str, where: str) -> str:
    try:
        found = resolver.lookup(reference)
    except unresolvable() as error:
        raise unresolved(f"{where} $ref {reference!r}", error) from error
    return str(found.resolver._base_uri).partition("#")[0]


def unresolved(where: str, error: Exception) -> Failure:
    """Return the refusal of a reference that leads nowhere, or out of the folder."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Failure):
            cause.where = f"{where}: {cause.where}"
            return cause
        cause = cause.__cause__
    return Failure(
        "a $ref leads nowhere",
        code=ExitCode.CONTRACT,
        where=where,
        expected="a schema of the same folder, and a place that is in it",
        found=str(error)[:200],
    )


def _remote(uri: str) -> Failure:
    scheme = urlsplit(uri).scheme or "no scheme"
    return Failure(
        "a $ref leads out of the folder of contracts; nothing is ever fetched",
        code=ExitCode.CONTRACT,
        where=uri[:200],
        expected="a schema of the same folder",
        found=f"{scheme}: not one of this folder's $id",
        next_step="put the schema it means into the folder, with that $id",
    )


def _nowhere(uri: str) -> Failure:
    return Failure(
        "a $ref leads to no file of the folder of contracts",
        code=ExitCode.CONTRACT,
        where=uri[:200],
        expected="a regular file inside the folder",
        found="none",
    )
