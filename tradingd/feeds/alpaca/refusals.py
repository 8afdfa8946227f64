"""What this feed cannot do, and what Alpaca refuses, in words a person can act on."""

from collections.abc import Sequence
from typing import Final

from tradingd.config.feed import AlpacaFeed as AlpacaConfig
from tradingd.domain.market import Resolution
from tradingd.feeds.alpaca.stream import (
    AUTH_FAILED,
    CONNECTION_LIMIT,
    NO_SUBSCRIPTION,
    SYMBOL_LIMIT,
    Refused,
)
from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.alpaca import hosts

_SHOWN: Final = 10

_STEPS: Final = {
    AUTH_FAILED: "check feed.key_id and feed.secret_key; the keys belong to one account",
    CONNECTION_LIMIT: "Alpaca allows one data stream an account: end the other program that "
    "uses this key's (another daemon, a notebook), or wait a minute when it has just been cut",
    SYMBOL_LIMIT: "fewer symbols, feed.quotes=false, or a larger data subscription",
    NO_SUBSCRIPTION: "feed.data=iex, or a subscription that includes it",
}


def checked(config: AlpacaConfig, resolution: Resolution, symbols: Sequence[str]) -> None:
    """Refuse what this feed cannot do.

    Raises
    ------
    Failure
        CONFIG.
    """
    if resolution is Resolution.SECOND:
        raise Failure(
            "Alpaca streams no bars of a second",
            code=ExitCode.CONFIG,
            where="strategy.bars",
            expected="1m, 1h or 1d",
            found=str(resolution),
        )
    if not symbols:
        raise Failure(
            "no symbols to subscribe to",
            code=ExitCode.CONFIG,
            where="universe.symbols",
            expected="at least one symbol",
        )
    for name, url, own in (
        ("endpoint", config.endpoint, hosts.DATA),
        ("stream", config.stream, hosts.STREAM),
    ):
        if url and url.rstrip("/") != own and not hosts.local(url):
            raise Failure(
                "this host is neither Alpaca's nor on this machine",
                code=ExitCode.CONFIG,
                where=f"feed.{name}",
                expected=f"{own}, or a server on this machine",
                found=url,
            )
    if config.clock == "data" and not hosts.local(config.endpoint or hosts.DATA):
        raise Failure(
            "only a test server's bars may rule the time of a session",
            code=ExitCode.CONFIG,
            where="feed.clock",
            expected="wall, or feed.endpoint on this machine",
            found="data",
        )


def stream_url(config: AlpacaConfig) -> str:
    """Return the URL of the data stream."""
    base = config.stream or (hosts.websocket(config.endpoint) if config.endpoint else hosts.STREAM)
    return f"{base.rstrip('/')}/v2/{config.data}"


def not_started(why: Exception | None, url: str) -> Failure:
    """Return the failure of a stream that cannot be had."""
    code = why.code if isinstance(why, Refused) else 0
    return Failure(
        "Alpaca's data stream cannot be had",
        code=ExitCode.FEED,
        where=url,
        found="no answer in time" if why is None else str(why),
        next_step=_STEPS.get(code, "look whether the host can be reached, then start again"),
    )


def unknown_symbols(unknown: Sequence[str], data: str) -> Failure:
    """Return the refusal of symbols that Alpaca has never seen a trade of."""
    more = len(unknown) - _SHOWN
    return Failure(
        "Alpaca does not know these symbols",
        code=ExitCode.UNKNOWN_SYMBOL,
        where="universe.symbols",
        expected=f"symbols that trade on {data}",
        found=", ".join(unknown[:_SHOWN]) + (f" and {more} more" if more > 0 else ""),
    )


def forgotten(_told: object) -> None:
    """Hear what nobody listens to."""
