"""Turn declared features into a set that can be computed."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from tradingd.config.features import FeaturesConfig
from tradingd.features.catalogue import find
from tradingd.features.digest import set_hash
from tradingd.features.feature import Context, CrossFeature, Feature
from tradingd.features.feature_set import FeatureSet
from tradingd.features.series import PRICES, QUOTES
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.session.calendar import SessionCalendar

_DECLARED: Final = "features.declared"
_OWN_COLUMNS: Final = (*PRICES, "volume", "session", "minute", "to_close", *QUOTES)
_UNKNOWN: Final = re.compile(r"unknown field `(?P<name>[^`]*)`")
_ABSENT: Final = re.compile(r"missing required field `(?P<name>[^`]*)`")
_PLACE: Final = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


def compile_features(
    config: FeaturesConfig,
    *,
    calendar: SessionCalendar,
    sectors: Mapping[str, str] | None = None,
    earnings: Mapping[str, tuple[dt.date, ...]] | None = None,
) -> FeatureSet:
    """Look up every declared kind, decode its parameters and order what needs what.

    Raises
    ------
    Failure
        CONFIG with the key path (``features.declared.NAME.PARAM``) and the nearest valid word.
    """
    context = Context(
        calendar=calendar, bars=config.bars, sectors=sectors or {}, earnings=earnings or {}
    )
    features = {
        name: _feature(name, config.declared[name], context) for name in sorted(config.declared)
    }
    order = _order(features)
    _check_references(features, config.benchmark, context.sectors)
    names = tuple(features)
    return FeatureSet(
        names=names,
        columns=tuple(features.values()),
        order=tuple(names.index(name) for name in order),
        bars=config.bars,
        memory=max(_memories(features, order).values(), default=0),
        hash=set_hash(
            features,
            bars=config.bars,
            benchmark=config.benchmark,
            calendar=calendar.name,
            sectors=context.sectors,
        ),
        needs_quotes=any(set(one.inputs) & set(QUOTES) for one in features.values()),
        benchmark=config.benchmark,
        calendar=calendar,
        sectors=context.sectors,
        earnings=context.earnings,
    )


def _feature(name: str, declared: Mapping[str, Any], context: Context) -> Feature:
    where = f"{_DECLARED}.{name}"
    given = dict(declared)
    kind = given.pop("kind", None)
    if not isinstance(kind, str) or not kind:
        raise _refused(
            f"feature {name} has no kind",
            f"{where}.kind",
            expected="a kind that `tradingd features list` names, or package.module:Class",
            found="nothing" if kind is None else repr(kind),
        )
    found = find(kind, f"{where}.kind")
    feature = found(_params(found, given, where))
    feature.context = context
    return feature


def _params(found: type[Feature], given: Mapping[str, Any], where: str) -> msgspec.Struct:
    try:
        return msgspec.convert(dict(given), found.Params)
    except msgspec.ValidationError as error:
        raise _bad_param(error, found, given, where) from error


def _bad_param(
    error: msgspec.ValidationError, found: type[Feature], given: Mapping[str, Any], where: str
) -> Failure:
    place = _PLACE.search(str(error))
    message = str(error)[: place.start()] if place else str(error)
    inside = place["path"] if place else ""
    valid = [one.encode_name for one in msgspec.structs.fields(found.Params)]
    if (unknown := _UNKNOWN.search(message)) and not inside:
        close = nearest(unknown["name"], valid)
        return _refused(
            f"there is no key {where}.{unknown['name']}",
            f"{where}.{unknown['name']}",
            expected="one of: " + ", ".join(valid) if valid else "no parameters",
            found=unknown["name"],
            next_step=f"did you mean {where}.{close}?" if close else "",
        )
    if absent := _ABSENT.search(message):
        key = f"{where}.{absent['name']}"
        return _refused(f"{key} is missing", key, next_step=f"set it: {key}=VALUE")
    key = f"{where}.{inside}" if inside else where
    return _refused(
        f"{key} does not fit: {message}", key, found=repr(given[inside]) if inside in given else ""
    )


def _order(features: Mapping[str, Feature]) -> list[str]:
    """Names of the features across symbols, each after those it needs."""
    order: list[str] = []
    for name, one in features.items():
        if isinstance(one, CrossFeature):
            _visit(name, features, order, [])
    return order


def _check_references(
    features: Mapping[str, Feature], benchmark: str, sectors: Mapping[str, str]
) -> None:
    """Refuse features that never had a value for want of what they refer to."""
    for name, one in features.items():
        if not isinstance(one, CrossFeature):
            continue
        if one.refers_to_benchmark and not benchmark:
            raise _refused(
                f"feature {name} refers to a benchmark and none is set",
                "features.benchmark",
                expected="a symbol such as SPY",
                found="nothing",
                next_step="features.benchmark=SPY",
            )
        if one.refers_to_sectors and not sectors:
            raise _refused(
                f"feature {name} refers to sectors and none are known",
                "features.sectors",
                expected="a CSV file with columns symbol,sector",
                found="nothing",
                next_step="features.sectors=FILE.csv",
            )


def _visit(
    name: str, features: Mapping[str, Feature], order: list[str], path: Sequence[str]
) -> None:
    one = features[name]
    if name in order or not isinstance(one, CrossFeature):
        return
    if name in path:
        raise _refused(
            f"feature {name} needs itself",
            f"{_DECLARED}.{name}",
            expected="features that need each other in one direction",
            found=" -> ".join((*path, name)),
        )
    for needed in one.needs:
        if needed in features:
            _visit(needed, features, order, (*path, name))
        elif needed not in _OWN_COLUMNS:
            close = nearest(needed, features)
            raise _refused(
                f"feature {name} needs {needed}, which is not declared",
                f"{_DECLARED}.{name}.of",
                expected="close or one of: " + ", ".join(one for one in features if one != name),
                found=needed,
                next_step=f"did you mean {close}?" if close else f"declare {needed} too",
            )
    order.append(name)


def _memories(features: Mapping[str, Feature], order: Sequence[str]) -> dict[str, int]:
    """Memory of every feature; one across symbols adds that of what it needs."""
    found = {
        name: one.memory for name, one in features.items() if not isinstance(one, CrossFeature)
    }
    for name in order:
        one = features[name]
        assert isinstance(one, CrossFeature)
        found[name] = one.memory + max((found.get(needed, 0) for needed in one.needs), default=0)
    return found


def _refused(
    what: str, where: str, *, expected: str = "", found: str = "", next_step: str = ""
) -> Failure:
    return Failure(
        what,
        code=ExitCode.CONFIG,
        where=where,
        expected=expected,
        found=found,
        next_step=next_step,
    )
