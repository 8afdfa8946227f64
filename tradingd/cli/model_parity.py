"""The command `tradingd model parity`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Overlay, Overrides

_Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", extra={"fits": "YYYY-MM-DD"})]


class ParityParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model parity`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    instance: Annotated[
        Annotated[str, Meta(min_length=1)],
        Meta(
            description="Whose record is read; its NAME.yaml in the site folder counts, if any.",
            extra={"metavar": "NAME", "short": "i"},
        ),
    ] = "paper"
    start: Annotated[_Day | None, Meta(description="First day of the record; default: all.")] = None
    end: Annotated[_Day | None, Meta(description="Last day of the record; default: all.")] = None


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("model", "parity"),
        params=ParityParams,
        result="tradingd.cli.model_parity_run:ParityResult",
        function="tradingd.cli.model_parity_run:run_parity",
        render="tradingd.cli.model_parity_run:render_parity",
        summary="Compute the rows that a session's model was shown anew from the store, ask the "
        "model again, and explain what differs. It ends with exit code 26 when something is left.",
        examples=(
            "tradingd model parity --instance paper model=registry",
            "tradingd model parity --instance desk features=minute model=registry "
            "--start 2024-07-01 --json",
        ),
        environment={
            "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
            "XDG_STATE_HOME": "base of the instances' state folders",
            "XDG_DATA_HOME": "base of the default folders of history and models",
        },
    ),
)
