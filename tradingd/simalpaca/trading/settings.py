"""The account's configuration, which its owner may change."""

import json
from collections.abc import Mapping
from typing import Final

from tradingd.simalpaca.trading.errors import bad_field
from tradingd.simbroker.store import Store

_KEY: Final = "alpaca_configurations"
_NORMAL: Final[dict[str, object]] = {
    "disable_overnight_trading": False,
    "fractional_trading": False,
    "max_margin_multiplier": "4",
    "max_options_trading_level": 0,
    "no_shorting": False,
    "ptp_no_exception_entry": False,
    "suspend_trade": False,
    "trade_confirm_email": "all",
    "dtbp_check": "entry",
    "pdt_check": "entry",
}
_WORDS: Final[dict[str, tuple[object, ...]]] = {
    "max_margin_multiplier": ("1", "2", "4"),
    "max_options_trading_level": (0, 1, 2, 3),
    "trade_confirm_email": ("all", "none"),
    "dtbp_check": ("both", "entry", "exit"),
    "pdt_check": ("both", "entry", "exit"),
}


class Settings:
    """Reads and changes the configuration.

    Parameters
    ----------
    store : Store
        Where it is kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def view(self) -> dict[str, object]:
        """Return the configuration as it is sent."""
        changed: dict[str, object] = json.loads(self._store.meta(_KEY, "{}"))
        return _NORMAL | changed

    def change(self, fields: Mapping[str, object]) -> dict[str, object]:
        """Change what is given; what is not known is passed over, as Alpaca does."""
        changed = self.view()
        for name, value in fields.items():
            if name not in _NORMAL or value is None:
                continue
            allowed = _WORDS.get(name, (True, False))
            if not any(
                value is one or (value == one and type(value) is type(one)) for one in allowed
            ):
                raise bad_field(f"invalid {name}")
            changed[name] = value
        self._store.set_meta(_KEY, json.dumps(changed))
        return changed

    @property
    def multiplier(self) -> int:
        """How often the excess may be spent."""
        return int(str(self.view()["max_margin_multiplier"]))

    @property
    def shorting(self) -> bool:
        """Whether the account sells short."""
        return not self.view()["no_shorting"]

    @property
    def suspended(self) -> bool:
        """Whether the owner has stopped trading."""
        return bool(self.view()["suspend_trade"])
