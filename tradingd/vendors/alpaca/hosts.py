"""Alpaca's hosts.

Source: Alpaca, "Authentication" and "Streaming" pages of docs.alpaca.markets, and `alpaca-py`'s
`alpaca.common.enums.BaseURL`.
"""

from typing import Final

from tradingd.kits.loopback import local

__all__ = ["DATA", "LIVE", "PAPER", "STREAM", "local", "websocket"]

PAPER: Final = "https://paper-api.alpaca.markets"
LIVE: Final = "https://api.alpaca.markets"
DATA: Final = "https://data.alpaca.markets"
STREAM: Final = "wss://stream.data.alpaca.markets"
"""Base URLs; a data stream lies under STREAM/v2/FEED, trade updates under TRADING-HOST/stream."""


def websocket(url: str) -> str:
    """Return the same place by WebSocket."""
    scheme, rest = url.split("://", 1)
    return f"{'wss' if scheme in ('https', 'wss') else 'ws'}://{rest}"
