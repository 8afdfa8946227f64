"""What goes wrong in a drill, and for how long."""

from collections.abc import Mapping
from typing import Final

import msgspec

COMMANDS: Final = ("submit", "replace", "cancel")


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One trouble: what a person reads, how the server makes it, how long (wall seconds)."""

    what: str
    seconds: float
    plan: Mapping[str, object] = {}
    kill: bool = False


STAGES: Final = (
    Stage(what="nothing: a calm market", seconds=6),
    Stage(
        what="trade updates lost, doubled and out of order",
        seconds=5,
        plan={"stream": {"drop": 0.3, "duplicate": 0.3, "reorder": 0.3}},
    ),
    Stage(
        what="orders accepted, the answer lost",
        seconds=4,
        plan={"ops": COMMANDS, "probabilities": {"drop_response": 0.4}},
    ),
    Stage(
        what="500, 503 and 504, some after the order was taken",
        seconds=3,
        plan={
            "ops": COMMANDS,
            "probabilities": {"status_500": 0.2, "status_503": 0.2, "status_504": 0.2},
        },
    ),
    Stage(
        what="the trade-update stream is cut, and refused for 2 s",
        seconds=4,
        plan={"stream": {"close_now": True, "refuse_seconds": 2.0}},
    ),
    Stage(what="the data stream is cut", seconds=3, plan={"data_stream": {"close_now": True}}),
    Stage(what="the trade-update stream is mute", seconds=5, plan={"stream": {"mute": True}}),
    # The daemon then sends nothing for as long as Alpaca says, most of a minute: late, or the
    # troubles after it would meet a daemon that is silent anyway.
    Stage(
        what="429: too many requests",
        seconds=3,
        plan={"ops": COMMANDS, "probabilities": {"status_429": 0.5}},
    ),
    Stage(what="the daemon is killed (SIGKILL) and started again", seconds=4, kill=True),
)
