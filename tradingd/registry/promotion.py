"""Move the alias that orders depend on: by the rules, one at a time, and back.

The state of a version is written first and the alias last: a crash in between leaves nothing
promoted. Callers hold the registry's lock.
"""

import datetime as dt
from typing import Final

import msgspec

from tradingd.domain import manifest as manifests
from tradingd.domain.manifest import Champion, ModelManifest, Production
from tradingd.kits.failure import ExitCode, Failure
from tradingd.registry.gates import Judge, Verdict
from tradingd.registry.state import CHALLENGER, VersionState, manifest_of
from tradingd.registry.versions import Entry, Versions

PRODUCTION: Final = "production"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants an alias moved, when, and why; `at` is aware."""

    by: str
    at: dt.datetime
    reason: str = ""


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """How a promotion ended: `manifest` is the one in force, or that would be."""

    promoted: bool
    manifest: ModelManifest
    verdict: Verdict
    previous: str | None


def promote(
    versions: Versions,
    name: str,
    version: int,
    *,
    alias: str,
    decision: Decision,
    judge: Judge,
    dry_run: bool = False,
) -> Promotion:
    """Let an alias point to a version, if the judge passes it.

    Raises
    ------
    Failure
        CONTRACT when it has expired, serves already, or its files are damaged; REGISTRY when there
        is none, or somebody else moved the alias meanwhile.
    """
    entry = versions.get(name, version)
    if entry.manifest.expired(decision.at):
        raise _expired(entry)
    if alias == CHALLENGER:
        raise _refused(entry, "no promotion", "an alias to serve under", alias)
    if alias in entry.aliases:
        raise _refused(entry, "the model serves already", "another version", f"alias {alias}")
    before = _at(versions, name, alias)
    production = Production(
        alias=alias,
        promoted_at=decision.at,
        promoted_by=decision.by,
        previous=str(before.version) if before else None,
        reason=decision.reason or None,
    )
    state = msgspec.structs.replace(
        entry.state, production=production, champion=_champion(entry, before)
    )
    wanted = manifest_of(entry.registered, state, {alias: version})
    verdict = judge(manifests.to_document(wanted))
    if verdict.passed and not dry_run:
        state = msgspec.structs.replace(state, gates=verdict.answer())
        wanted = _move(versions, entry, before, alias, state)
    return Promotion(
        promoted=verdict.passed and not dry_run,
        manifest=wanted,
        verdict=verdict,
        previous=production.previous,
    )


def rollback(
    versions: Versions, name: str, *, alias: str, decision: Decision, judge: Judge
) -> Promotion:
    """Let an alias point to the version before; the rules are asked and told, not obeyed.

    What it was promoted on holds no worse than what is being taken back, and a person who rolls
    back is in a hurry.

    Raises
    ------
    Failure
        REGISTRY when nothing is promoted, or nothing was before.
    """
    now = _at(versions, name, alias)
    if now is None:
        raise _nothing(f"{name}@{alias}", "a model in production", "none")
    stated = now.state.production.previous if now.state.production else None
    if stated is None:
        raise _nothing(now.manifest.id, "a version that was promoted before it", "none")
    entry = versions.get(name, int(stated))
    before = entry.state.production
    production = Production(
        alias=alias,
        promoted_at=decision.at,
        promoted_by=decision.by,
        # Its own predecessor, so that a second rollback goes further back, not forth.
        previous=before.previous if before else None,
        reason=f"rolled back from {now.version}" + (f": {decision.reason}" * bool(decision.reason)),
    )
    state = msgspec.structs.replace(entry.state, production=production)
    manifest = _move(versions, entry, now, alias, state)
    verdict = judge(manifests.to_document(manifest))
    return Promotion(
        promoted=True, manifest=manifest, verdict=verdict, previous=production.previous
    )


def challenge(versions: Versions, name: str, version: int, *, at: dt.datetime) -> Entry:
    """Let a version predict in the shadow of the one in production.

    Raises
    ------
    Failure
        CONTRACT when it has expired or is in production.
    """
    entry = versions.get(name, version)
    if entry.manifest.expired(at):
        raise _expired(entry)
    if entry.manifest.status == "promoted":
        raise _refused(entry, "the model is its own champion", "a candidate", "promoted")
    before = _at(versions, name, CHALLENGER)
    versions.point(name, CHALLENGER, version)
    if before is not None:
        versions.get(name, before.version)
    versions.publish(name)
    return versions.get(name, version)


def expire(versions: Versions, name: str, version: int, *, at: dt.datetime) -> Entry:
    """End a version's time at that moment, or leave it where it was over before."""
    entry = versions.get(name, version)
    if not entry.manifest.expired(at):
        state = msgspec.structs.replace(entry.state, expires=at)
        versions.write_state(name, version, state)
    return versions.get(name, version)


def _move(
    versions: Versions, entry: Entry, before: Entry | None, alias: str, state: VersionState
) -> ModelManifest:
    versions.write_state(entry.name, entry.version, state)
    versions.point(entry.name, alias, entry.version)
    if CHALLENGER in entry.aliases:
        versions.unpoint(entry.name, CHALLENGER)
    moved = versions.get(entry.name, entry.version)
    if alias not in moved.aliases:
        # Another machine, on the same server: its promotion came last and holds.
        raise _refused(entry, "somebody else moved the alias", alias, ", ".join(moved.aliases))
    if before is not None:
        # Its manifest says from now on that it is retired.
        versions.get(entry.name, before.version)
    versions.publish(entry.name)
    return moved.manifest


def _at(versions: Versions, name: str, alias: str) -> Entry | None:
    version = versions.aliases(name).get(alias)
    return versions.get(name, version) if version is not None else None


def _champion(entry: Entry, before: Entry | None) -> Champion | None:
    """Return what has to be beaten: as compared over the same days, else its own record."""
    if before is None:
        return None
    stated = entry.registered.champion
    same = stated is not None and (stated.name, stated.version) == (
        before.name,
        str(before.version),
    )
    if stated is not None and same:
        return stated
    return Champion(name=before.name, version=str(before.version), metrics=before.manifest.metrics)


def _expired(entry: Entry) -> Failure:
    return _refused(
        entry, "the model has expired", "a moment before", f"{entry.manifest.expires:%F %TZ}"
    )


def _refused(entry: Entry, what: str, expected: str, found: str) -> Failure:
    return Failure(
        what,
        code=ExitCode.CONTRACT,
        where=entry.manifest.id,
        expected=expected,
        found=found or "nothing",
        next_step=f"tradingd model show {entry.manifest.id}",
    )


def _nothing(where: str, expected: str, found: str) -> Failure:
    return Failure(
        "there is nothing to roll back",
        code=ExitCode.REGISTRY,
        where=where,
        expected=expected,
        found=found,
        next_step="tradingd model expire MODEL ends a model's time with no other in its place",
    )
