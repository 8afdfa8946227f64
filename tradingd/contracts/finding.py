"""How a document finds its schema. The order is the rule; the first that speaks decides.

1. ``--as NAME`` or ``--as NAME#/$defs/PART``: a person says it.
2. The document's own `contract`: the name of a contract.
3. The document's own `$schema`: the `$id` of a schema, or the place of its file.
4. File name patterns: those of the schema (`x-contract.files`), else ``NAME.json`` and the like;
   a pattern with ``/`` looks at the folders above too.

Several versions of one contract: the one that knows the document's `schema_version`.
"""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from tradingd.contracts.folder import Contracts
from tradingd.contracts.schemas import Schema
from tradingd.contracts.validator import Problem
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest


def candidates(
    document: Any, contracts: Contracts, *, name: str = "", file: PurePath | None = None
) -> tuple[list[Schema], Problem | None]:
    """Return the versions of the contract that a document is under; none: it is under none.

    The problem says that the document itself names a contract that the folder does not have.

    Raises
    ------
    Failure
        CONTRACT when `name` is that of no contract, or file names fit several contracts.
    """
    if name:
        return _asked(name.partition("#")[0], contracts), None
    own = document if isinstance(document, dict) else {}
    if isinstance(stated := own.get("contract"), str):
        found = contracts.named(stated)
        return found, None if found else _unknown("contract", stated, contracts)
    stated = own.get("$schema")
    if isinstance(stated, str) and "json-schema.org/" not in stated:
        found = [one for one in contracts.schemas if _is_meant(stated, one)]
        return found, None if found else _unknown("$schema", stated, contracts)
    return (_by_file(file, contracts) if file is not None else []), None


def _asked(name: str, contracts: Contracts) -> list[Schema]:
    if found := contracts.named(name):
        return found
    guess = nearest(name, contracts.names())
    raise Failure(
        "there is no such contract",
        code=ExitCode.CONTRACT,
        where=str(contracts.root),
        expected=", ".join(contracts.names()),
        found=name,
        next_step=f"--as {guess}" if guess else "tradingd contracts list",
    )


def _unknown(key: str, stated: str, contracts: Contracts) -> Problem:
    known = ", ".join(contracts.names())
    return Problem(
        path=f"$.{key}", rule=key, message=f"{stated[:100]!r} is none of the contracts: {known}"
    )


def _is_meant(stated: str, schema: Schema) -> bool:
    if stated.rstrip("#") in (schema.uri, schema.name):
        return True
    # A path, as editors take it: ../schemas/x.schema.json
    tail = PurePath(stated).name
    return (
        "://" not in stated and not stated.startswith("urn:") and tail == PurePath(schema.path).name
    )


def _by_file(file: PurePath, contracts: Contracts) -> list[Schema]:
    fitting = [one for one in contracts.schemas if any(_fits(file, p) for p in one.files)]
    names = sorted({one.name for one in fitting})
    if len(names) > 1:
        raise Failure(
            "the name of a file fits several contracts",
            code=ExitCode.CONTRACT,
            where=str(file),
            expected="one contract",
            found=", ".join(names),
            next_step=f"--as {names[0]}",
        )
    return fitting


def _fits(file: PurePath, pattern: str) -> bool:
    try:
        return file.full_match(f"**/{pattern}")
    except ValueError:
        return False


def of_version(found: Sequence[Schema], version: Any) -> Schema | None:
    """Return the schema that knows a version, None when none does; the last is the newest."""
    return next((one for one in reversed(found) if one.versions.know(version)), None)
