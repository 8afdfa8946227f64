"""Alpaca's hosts.

Source: Alpaca, "Authentication" and "Streaming" pages of docs.alpaca.markets, and `alpaca-py`'s
`alpaca.common.enums.BaseURL`.
"""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

PAPER: Final = "https://paper-api.alpaca.markets"
LIVE: Final = "https://api.alpaca.markets"
DATA: Final = "https://data.alpaca.markets"
STREAM: Final = "wss://stream.data.alpaca.markets"
"""Base URLs; a data stream lies under STREAM/v2/FEED, trade updates under TRADING-HOST/stream."""


def local(url: str) -> bool:
    """Tell whether a URL names this machine: only there may another server stand in."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def websocket(url: str) -> str:
    """Return the same place by WebSocket."""
    scheme, rest = url.split("://", 1)
    return f"{'wss' if scheme in ('https', 'wss') else 'ws'}://{rest}"
