"""The command `tradingd scan`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Instance, Overlay, Overrides


class ScanParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd scan`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    instance: Instance = None
    day: Annotated[
        str | None,
        Meta(description="New York day of a stored scan, YYYY-MM-DD; default: the last stored."),
    ] = None
    at: Annotated[
        Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None,
        Meta(
            description="New York time, HH:MM, of the table; default: the open of the session, half"
            " an hour later of invented bars, now of a live feed.",
        ),
    ] = None
    sort: Annotated[
        str | None,
        Meta(description="gap, relative_volume, volume, price or symbol, in place of scan.sort."),
    ] = None


class ScreenParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd screen`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    instance: Instance = None


class ScreenEnded(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd screen`: symbols seen, files published, what could not be kept."""

    seen: int
    published: int
    dropped: int


_ENVIRONMENT = {
    "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
    "XDG_DATA_HOME": "base of the default store folder",
    "APCA_API_KEY_ID": "key of feed=alpaca, with APCA_API_SECRET_KEY",
    "DATABENTO_API_KEY": "key of depth=databento",
}

COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("scan",),
        params=ScanParams,
        result="tradingd.scanner.row:Scan",
        function="tradingd.cli.scan_run:run",
        render="tradingd.cli.scan_run:render",
        summary="Show what gaps up on unusual volume, of the store or of a feed.",
        examples=(
            "tradingd scan --day 2013-10-11 --at 09:25",
            "tradingd scan feed=alpaca scan.min_gap_percent=5 --json",
            "tradingd scan feed=synthetic scan.max_price=1000 scan.min_gap_percent=-5",
        ),
        environment=_ENVIRONMENT,
    ),
    Command(
        path=("screen",),
        params=ScreenParams,
        result=ScreenEnded,
        function="tradingd.cli.scan_screen.run:run",
        render="tradingd.cli.scan_screen.run:render",
        summary="Watch the scan on a full screen and choose whose order books are recorded.",
        examples=(
            "tradingd screen feed=alpaca depth=databento",
            "tradingd screen feed=replay feed.start=2013-10-11 feed.speed=60",
            "tradingd screen feed=synthetic depth=replay depth.path=FROG.mbp-10.dbn.zst",
        ),
        environment=_ENVIRONMENT,
    ),
)
