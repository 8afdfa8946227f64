"""Group `session`: which exchange's hours count."""

from typing import Annotated

from msgspec import Meta

from tradingd.config.base import Group


class SessionConfig(Group, frozen=True, kw_only=True):
    """Trading hours."""

    calendar: Annotated[str, Meta(description="`exchange_calendars` identifier.")] = "XNYS"
    regular_only: Annotated[
        bool, Meta(description="Cut bars to the regular session (half days included).")
    ] = True
