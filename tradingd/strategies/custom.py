"""A strategy from outside the package: import it, check it, decode its params."""

import inspect
import re
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import msgspec

from tradingd.config.strategy import CustomStrategy, StrategyBase
from tradingd.engine.strategy import Strategy
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.kits.own_code import import_own

_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")
_ABSENT = re.compile(r"missing required field `(?P<name>[^`]*)`")
_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


def make_custom(config: CustomStrategy) -> Strategy:
    """Import the class, decode `params` into its `Settings` and construct it.

    Modules are found on Python's path and in the current working directory.

    Raises
    ------
    Failure
        CONFIG for what the configuration got wrong, STRATEGY_FAILED when the constructor raises.
    """
    found = import_strategy(config.path)
    settings = decode_params(found, config)
    try:
        return found(settings)
    except Exception as error:
        raise Failure(
            f"strategy {config.path} cannot be constructed: {_said(error)}",
            code=ExitCode.STRATEGY_FAILED,
            where=f"{found.__name__}.__init__",
        ) from error


def import_strategy(path: str) -> type[Strategy]:
    """Return the class that ``package.module:ClassName`` names.

    Raises
    ------
    Failure
        CONFIG: no such module, an exception inside it, no such name, or not a strategy.
    """
    name, _, attribute = path.partition(":")
    module = import_own(name, path, "strategy.path")
    found = getattr(module, attribute, None)
    if found is None:
        raise _no_attribute(module, attribute, path)
    if not (isinstance(found, type) and issubclass(found, Strategy)):
        raise _refused(
            f"{path} is not a strategy",
            expected="a subclass of tradingd.engine.strategy.Strategy",
            found=f"a class derived from {found.__mro__[1].__name__}"
            if isinstance(found, type)
            else f"an object of type {type(found).__name__}",
        )
    if not issubclass(found.Settings, StrategyBase):
        raise _refused(
            f"{path}.Settings is not a settings struct",
            expected="a subclass of tradingd.config.strategy.StrategyBase",
            found=found.Settings.__name__,
        )
    return found


def _no_attribute(module: ModuleType, attribute: str, path: str) -> Failure:
    strategies = [
        name
        for name, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, Strategy) and one is not Strategy
    ]
    close = nearest(attribute, strategies) or (strategies[0] if len(strategies) == 1 else None)
    return _refused(
        f"module {module.__name__} has no {attribute}",
        expected="one of: " + ", ".join(strategies) if strategies else "a subclass of Strategy",
        found=attribute,
        next_step=f"did you mean {path.partition(':')[0]}:{close}?" if close else "",
    )


def decode_params(found: type[Strategy], config: CustomStrategy) -> StrategyBase:
    """Turn `params` into the class's `Settings`; `bars` comes from the strategy group itself.

    Raises
    ------
    Failure
        CONFIG, naming the key under ``strategy.params`` and the nearest valid name.
    """
    if "bars" in config.params:
        raise _refused(
            "strategy.params.bars is stated beside strategy.bars",
            where="strategy.params.bars",
            expected="bars beside path, not inside params",
            next_step=f"strategy.bars={config.params['bars']}",
        )
    try:
        return msgspec.convert({**config.params, "bars": config.bars}, found.Settings)
    except msgspec.ValidationError as error:
        raise _bad_param(error, found.Settings, config.params) from error


def _bad_param(
    error: msgspec.ValidationError, settings: type[StrategyBase], params: dict[str, Any]
) -> Failure:
    place = _PLACE.search(str(error))
    message = str(error)[: place.start()] if place else str(error)
    inside = place["path"] if place else ""
    valid = [one.encode_name for one in msgspec.structs.fields(settings) if one.name != "bars"]
    if (unknown := _UNKNOWN.search(message)) and not inside:
        return _unknown_param(unknown["name"], valid)
    if absent := _ABSENT.search(message):
        key = _key(inside, absent["name"])
        return _refused(f"{key} is missing", where=key, next_step=f"set it: {key}=VALUE")
    key = _key(inside) if inside else "strategy.params"
    return _refused(
        f"{key} does not fit {settings.__name__}: {message}",
        where=key,
        found=_shown(inside, params),
    )


def _unknown_param(name: str, valid: Iterable[str]) -> Failure:
    close = nearest(name, valid)
    return _refused(
        f"there is no key {_key(name)}",
        where=_key(name),
        expected="one of: " + ", ".join(valid),
        found=name,
        next_step=f"did you mean {_key(close)}?" if close else "",
    )


def _key(*parts: str) -> str:
    return ".".join(("strategy.params", *(part for part in parts if part)))


def _shown(inside: str, params: dict[str, Any]) -> str:
    value = params.get(inside)
    return "" if value is None else f"{value!r} ({type(value).__name__})"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _refused(
    what: str,
    *,
    where: str = "strategy.path",
    expected: str = "",
    found: str = "",
    next_step: str = "",
) -> Failure:
    return Failure(
        what,
        code=ExitCode.CONFIG,
        where=where,
        expected=expected,
        found=found,
        next_step=next_step,
    )
