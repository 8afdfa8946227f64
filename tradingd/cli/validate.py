"""Commands of `tradingd validate`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Overlay, Overrides


class ValidateParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd validate`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    cuts: Annotated[
        int, Meta(ge=1, le=100, description="How many shortened runs to compare with.")
    ] = 3


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("validate",),
        params=ValidateParams,
        result="tradingd.app.lookahead:Validation",
        function="tradingd.cli.validate_run:run",
        render="tradingd.cli.validate_run:render",
        summary="Check that a strategy knows no future and say how long it needs to warm up.",
        examples=(
            "tradingd validate",
            "tradingd validate strategy=ema_cross strategy.bars=1d --cuts 5",
        ),
        environment={
            "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
            "XDG_DATA_HOME": "base of the default store folder",
        },
    ),
)
