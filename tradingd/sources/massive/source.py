"""Massive as a source."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from tradingd.config.secrets import resolve
from tradingd.config.source import MassiveSource as MassiveConfig
from tradingd.domain.market import CorporateAction, Resolution
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.massive import parsing
from tradingd.sources.massive.client import MassiveClient
from tradingd.sources.remote.calls import Calls
from tradingd.sources.remote.source import RemoteSource
from tradingd.sources.remote.vendor import Fetched

_SPANS: Final = {
    Resolution.MINUTE: "minute",
    Resolution.HOUR: "hour",
    Resolution.DAY: "day",
}


class MassiveVendor:
    """Implements `remote.vendor.Vendor`."""

    name = "massive"
    resolutions = tuple(_SPANS)
    knows_actions = True

    def __init__(self, config: MassiveConfig, calendar: SessionCalendar) -> None:
        self._config = config
        self._calendar = calendar
        self._client: MassiveClient | None = None

    @property
    def key(self) -> str:
        """Reference of the API key."""
        return self._config.key

    def bars(self, symbol: str, resolution: Resolution, first: dt.date, last: dt.date) -> Fetched:
        """Return bars; see `Vendor.bars`."""
        found = list(self._connected().aggregates(symbol, _SPANS[resolution], first, last))
        return Fetched(bars=parsing.bars(found, resolution, self._calendar))

    def actions(self, symbol: str, first: dt.date, last: dt.date) -> Sequence[CorporateAction]:
        """Return splits and dividends; see `Vendor.actions`."""
        client = self._connected()
        return [
            *parsing.splits(symbol, client.splits(symbol, first, last)),
            *parsing.dividends(symbol, client.dividends(symbol, first, last)),
        ]

    def _connected(self) -> MassiveClient:
        if self._client is None:
            config = self._config
            self._client = MassiveClient(
                resolve(config.key),
                endpoint=config.endpoint,
                timeout=config.timeout,
                calls=Calls(per_minute=config.requests_per_minute, tries=config.tries),
            )
        return self._client


def make(config: MassiveConfig) -> RemoteSource:
    """Return the source; it touches nothing until asked."""
    calendar = SessionCalendar()
    return RemoteSource(config, MassiveVendor(config, calendar), calendar)
