"""Which symbols there are and what may be done with them."""

import re
from collections.abc import Mapping
from typing import Final

from tradingd.simalpaca.trading.rows import asset_id
from tradingd.simbroker.amounts import BadRequest
from tradingd.simbroker.store import Store

_SYMBOL: Final = re.compile(r"[A-Z]{1,5}([./][A-Z]{1,3})?")
_FLAGS: Final = ("tradable", "marginable", "shortable", "easy_to_borrow", "fractionable")
_EXCHANGES: Final = ("AMEX", "ARCA", "BATS", "NYSE", "NASDAQ", "NYSEARCA", "OTC")
_NORMAL: Final = dict.fromkeys(_FLAGS, True)
_LONG: Final = "0.5"
_SHORT: Final = "0.5"


class Assets:
    """Every symbol that looks like one of US equities exists, unless it was said otherwise.

    Parameters
    ----------
    store : Store
        Where what was said of assets is kept.
    """

    TABLE = """
CREATE TABLE IF NOT EXISTS alpaca_assets (
    symbol TEXT PRIMARY KEY, known INTEGER NOT NULL, exchange TEXT NOT NULL, name TEXT NOT NULL,
    tradable INTEGER NOT NULL, marginable INTEGER NOT NULL, shortable INTEGER NOT NULL,
    easy_to_borrow INTEGER NOT NULL, fractionable INTEGER NOT NULL);
"""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._said: dict[str, dict[str, object]] = {}
        self._ids: dict[str, str] = {}

    def load(self) -> None:
        """Read what was said."""
        names = ("symbol", "known", "exchange", "name", *_FLAGS)
        rows = self._store.rows(f"SELECT {','.join(names)} FROM alpaca_assets")
        self._said = {str(row[0]): dict(zip(names, row, strict=True)) for row in rows}

    def describe(self, message: Mapping[str, object]) -> dict[str, object]:
        """Take what the admin says of an asset; what is not said stays as it was."""
        symbol = message.get("symbol")
        if not isinstance(symbol, str) or not symbol:
            raise BadRequest("asset needs a symbol")
        said = {**self._facts(symbol), "symbol": symbol}
        for name in ("known", *_FLAGS):
            value = message.get(name, bool(said[name]))
            if not isinstance(value, bool):
                raise BadRequest(f"{name} must be true or false")
            said[name] = int(value)
        for name in ("exchange", "name"):
            said[name] = str(message.get(name, said[name]))
        if said["exchange"] not in _EXCHANGES:
            raise BadRequest(f"exchange must be one of {', '.join(_EXCHANGES)}")
        row = tuple(said[name] for name in ("symbol", "known", "exchange", "name", *_FLAGS))
        self._store.replace("alpaca_assets", [row], len(row))
        self._said[symbol] = said
        return {}

    def _facts(self, symbol: str) -> dict[str, object]:
        normal = {"known": _SYMBOL.fullmatch(symbol) is not None, "exchange": "NYSE", **_NORMAL}
        return self._said.get(symbol, {"name": f"{symbol} (simulated)", **normal})

    def get(self, symbol_or_id: str) -> dict[str, object] | None:
        """Return an asset as it is sent, None when there is none."""
        symbol = self.symbol(symbol_or_id)
        facts = self._facts(symbol)
        if not facts["known"]:
            return None
        self._ids[asset_id(symbol)] = symbol
        easy = bool(facts["easy_to_borrow"])
        return {
            "id": asset_id(symbol),
            "class": "us_equity",
            "exchange": facts["exchange"],
            "symbol": symbol,
            "name": facts["name"],
            "status": "active" if facts["tradable"] else "inactive",
            **{name: bool(facts[name]) for name in _FLAGS},
            "maintenance_margin_requirement": 30,
            "margin_requirement_long": _LONG,
            "margin_requirement_short": _SHORT,
            "borrow_status": "easy_to_borrow" if easy else "hard_to_borrow",
            "attributes": [],
        }

    def symbol(self, symbol_or_id: str) -> str:
        """Return the symbol of an asset's id; a symbol as it is."""
        if len(symbol_or_id) == len(asset_id("")):
            if symbol_or_id not in self._ids:
                self._ids |= {asset_id(symbol): symbol for symbol in self.symbols()}
            return self._ids.get(symbol_or_id, symbol_or_id)
        return symbol_or_id

    def symbols(self) -> list[str]:
        """Return the symbols that were spoken of: by prices, orders, or the admin."""
        spoken = self._store.rows(
            "SELECT symbol FROM prices UNION SELECT symbol FROM alpaca_orders"
            " UNION SELECT symbol FROM alpaca_assets"
        )
        return sorted(str(row[0]) for row in spoken)
