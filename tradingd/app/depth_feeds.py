"""Compose the configured source of order books; each kind is imported when it is wanted."""

import importlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from tradingd.config.depth import DatabentoDepth, DepthConfig, IbkrDepth, NoDepth, ReplayDepth
from tradingd.config.secrets import Secret, resolve
from tradingd.domain.depth import DepthFeed
from tradingd.kits.failure import ExitCode, Failure

_FEEDS: Final[Mapping[type, str]] = {
    ReplayDepth: "tradingd.feeds.depth_replay.feed:ReplayDepthFeed",
    DatabentoDepth: "tradingd.feeds.databento.feed:DatabentoDepthFeed",
    IbkrDepth: "tradingd.feeds.ibkr.feed:IbkrDepthFeed",
}


def make_depth_feed(
    config: DepthConfig,
    *,
    wall: Callable[[], int] = time.time_ns,
    secret: Callable[[str], Secret] = resolve,
) -> DepthFeed:
    """Return the feed; nothing is opened.

    Parameters
    ----------
    config : DepthConfig
        Group `depth`.
    wall : callable
        Wall time, UTC ns.
    secret : callable
        Resolves a reference of a secret.

    Raises
    ------
    Failure
        CONFIG when there is no source, or its key cannot be found.
    """
    if isinstance(config, NoDepth):
        raise Failure(
            "no source of order books is configured",
            code=ExitCode.CONFIG,
            where="depth",
            expected="depth=replay, depth=databento or depth=ibkr",
            found="depth=none",
            next_step="depth=replay depth.path=FILE, or depth=databento with a key",
        )
    module, _, name = _FEEDS[type(config)].partition(":")
    make: Callable[..., DepthFeed] = getattr(importlib.import_module(module), name)
    return make(config, **_needs(config, wall, secret))


def _needs(
    config: DepthConfig, wall: Callable[[], int], secret: Callable[[str], Secret]
) -> dict[str, Any]:
    match config:
        case DatabentoDepth():
            return {"key": secret(config.key), "wall": wall}
        case IbkrDepth():
            return {"wall": wall}
        case _:
            return {}
