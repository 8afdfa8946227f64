"""TWS's message codes that matter to depth.

https://interactivebrokers.github.io/tws-api/message_codes.html
"""

from typing import Final

UNKNOWN_CONTRACT: Final = 200
TOO_MANY: Final = 309
"""Max number (the account's depth lines) of market depth requests has been reached."""

HALTED: Final = 316
"""Depth has been halted; subscribe again."""

RESET: Final = 317
"""Empty the book before any new row."""

CLIENT_ID_TAKEN: Final = 326

LOST: Final = 1100
"""TWS has no connection to Interactive Brokers."""

RESTORED_WITHOUT_DATA: Final = 1101
"""It has one again, and subscriptions are gone."""

RESTORED: Final = 1102
"""It has one again, and subscriptions are kept."""

PARTLY_PERMITTED: Final = 2152
"""Some of the exchanges need more market data permissions; rows of the others come."""

PERMISSIONS: Final = frozenset({354, 2152, 10089, 10090, 10092, 10168, 10186, 10189, 10197})
"""Not subscribed, not permitted, or another session of the same user has the data."""


def notice(code: int) -> bool:
    """Tell whether a code is only information: data farms come and go, data are delayed."""
    return 2100 <= code < 2200 or code in (10167,)
