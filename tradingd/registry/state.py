"""What changes of a version after it was registered: where it stands, and until when.

The manifest that was registered never changes; the one that is published is it, with this laid
over it and the aliases looked up. An alias is one row of the store: whether a model is promoted
cannot be half true.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Final

import msgspec

from tradingd.domain.manifest import (
    SCHEMA_VERSION,
    Champion,
    GateAnswer,
    ModelManifest,
    Part,
    Production,
    Status,
)

CHALLENGER: Final = "challenger"


class VersionState(Part, frozen=True, kw_only=True):
    """What laid itself over the manifest of a version."""

    expires: dt.datetime | None = None
    production: Production | None = None
    champion: Champion | None = None
    gates: GateAnswer | None = None


def manifest_of(
    registered: ModelManifest, state: VersionState, aliases: Mapping[str, int]
) -> ModelManifest:
    """Return the manifest as it stands now."""
    return msgspec.structs.replace(
        registered,
        # Additive versions: whatever the older one allowed, this one does.
        schema_version=SCHEMA_VERSION,
        status=_status(int(registered.version), state, aliases),
        expires=state.expires or registered.expires,
        production=state.production,
        champion=state.champion if state.production else registered.champion,
        gates=state.gates or registered.gates,
    )


def _status(version: int, state: VersionState, aliases: Mapping[str, int]) -> Status:
    alias = state.production.alias if state.production else None
    if alias and aliases.get(alias) == version:
        return "promoted"
    if aliases.get(CHALLENGER) == version:
        return "challenger"
    return "retired" if alias else "candidate"
