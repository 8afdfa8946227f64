"""What holds for every document under any folder of contracts, whatever its schemas say."""

from typing import Any, Final

from tradingd.contracts.schemas import Schema
from tradingd.contracts.validator import Problem

PROMOTED: Final = frozenset({"promoted", "production", "champion", "live"})
"""Words in `status`, `stage` or `state` of a model that trades."""


_STAGES: Final = ("status", "stage", "state")


def version_problem(document: Any, found: list[Schema]) -> Problem | None:
    """Refuse a `schema_version` that no schema of the contract knows."""
    if not isinstance(document, dict) or "schema_version" not in document:
        return None
    version = document["schema_version"]
    if any(one.versions.know(version) for one in found):
        return None
    known = "; ".join(f"{one.versions.text()} ({one.path})" for one in found)
    return Problem(
        path="$.schema_version",
        rule="schema_version",
        message=f"unknown version {str(version)[:60]!r}; known: {known}",
    )


def alias_problem(document: Any, contract: str) -> Problem | None:
    """Refuse a promoted model that does not say under which alias it is served."""
    if not isinstance(document, dict) or not _is_model(document, contract):
        return None
    if not promoted(document):
        return None
    production = document.get("production")
    alias = production.get("alias") if isinstance(production, dict) else None
    if isinstance(alias, str) and alias.strip():
        return None
    return Problem(
        path="$.production.alias",
        rule="production.alias",
        message="a promoted model must name the alias that it is served under",
    )


def promoted(document: dict[str, Any]) -> bool:
    """Whether a model manifest is that of a promoted model."""
    production = document.get("production")
    nested = production if isinstance(production, dict) else {}
    if document.get("promoted") is True or nested.get("promoted") is True:
        return True
    words = (document.get(one) for one in _STAGES)
    return any(isinstance(one, str) and one.lower() in PROMOTED for one in words)


def is_model_not_promoted(document: Any, contract: str) -> bool:
    """Whether it is a model that says where it stands, and does not trade there.

    What must hold before a promotion is no fault of a model that is not promoted.
    """
    if not isinstance(document, dict) or not _is_model(document, contract):
        return False
    stated = any(isinstance(document.get(one), str) for one in _STAGES)
    return (stated or document.get("promoted") is False) and not promoted(document)


def _is_model(document: dict[str, Any], contract: str) -> bool:
    return "model" in contract or ("manifest" in contract and "metrics" in document)
