"""Which kinds of features there are, and which are declared."""

from collections.abc import Sequence
from typing import Any

import msgspec

from tradingd.app.modelling.sources import read_sectors, require_features
from tradingd.config.system import SystemConfig
from tradingd.features.catalogue import KINDS, find
from tradingd.features.compile import compile_features
from tradingd.features.digest import kind_of
from tradingd.features.feature import CrossFeature
from tradingd.features.proofs import memory_of
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.session.calendar import SessionCalendar


class KindFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One kind; `params` holds the default of each parameter, None where it must be given."""

    kind: str
    family: str
    summary: str
    source: str
    inputs: tuple[str, ...]
    params: dict[str, Any]


class KindList(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd features list`."""

    kinds: tuple[KindFacts, ...]


class DeclaredFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One declared feature; `memory` is in bars, that of what it needs included."""

    name: str
    kind: str
    params: dict[str, Any]
    needs: tuple[str, ...]
    memory: int


class SetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd features show`."""

    hash: str
    bars: str
    benchmark: str
    memory: int
    needs_quotes: bool
    features: tuple[DeclaredFacts, ...]


def kinds(words: Sequence[str]) -> KindList:
    """Return the kinds whose name or summary has one of the words; all without a word.

    Raises
    ------
    Failure
        USAGE when there are none.
    """
    wanted = [word.lower() for word in words]
    every = [_kind(kind) for kind in KINDS]
    found = tuple(
        one
        for one in every
        if not wanted
        or any(word in f"{one.kind} {one.family} {one.summary}".lower() for word in wanted)
    )
    if found:
        return KindList(kinds=found)
    close = nearest(words[0], KINDS)
    raise Failure(
        "no kind of feature has such a word",
        code=ExitCode.USAGE,
        expected="part of a kind's name, family or summary",
        found=" ".join(words),
        next_step=f"did you mean {close}?" if close else "tradingd features list",
    )


def _kind(kind: str) -> KindFacts:
    found = find(kind)
    return KindFacts(
        kind=kind,
        family=found.__module__.rpartition(".")[2],
        summary=found.summary,
        source=found.source,
        inputs=found.inputs,
        params={
            one.encode_name: None if one.required else one.default
            for one in msgspec.structs.fields(found.Params)
        },
    )


def show(config: SystemConfig) -> SetFacts:
    """Return the declared features; reads no bars.

    Raises
    ------
    Failure
        CONFIG with the key that does not fit.
    """
    require_features(config.features)
    found = compile_features(
        config.features,
        calendar=SessionCalendar(config.session.calendar),
        sectors=read_sectors(config.features.sectors),
    )
    return SetFacts(
        hash=found.hash,
        bars=found.bars,
        benchmark=found.benchmark,
        memory=found.memory,
        needs_quotes=found.needs_quotes,
        features=tuple(
            DeclaredFacts(
                name=name,
                kind=kind_of(one),
                params=msgspec.to_builtins(one.params),
                needs=tuple(one.needs if isinstance(one, CrossFeature) else one.inputs),
                memory=memory_of(found, name),
            )
            for name, one in zip(found.names, found.columns, strict=True)
        ),
    )
