"""When a request needs the instance's name typed again, and when it makes no sense at all.

Pure: what is asked, and the daemon's present state, give the reason or nothing.
"""

from collections.abc import Callable
from typing import Any, Final

from tradingd.control import messages as m
from tradingd.control.loosening import surely_tighter
from tradingd.control.operator import Operator
from tradingd.control.refusals import malformed
from tradingd.domain.states import TradingState
from tradingd.kits.failure import ExitCode, Failure

_HOLDING: Final = (TradingState.HALTED, TradingState.FLATTENING, TradingState.FLAT)


type Rule = Callable[[Operator, Any], str]
"""Why a request needs confirmation; empty: it needs none."""


def always(why: str) -> Rule:
    """Return the rule that always gives the same reason."""
    return lambda operator, request: why


def never(operator: Operator, request: object) -> str:
    """Give no reason: the verb takes risk away, or changes little."""
    return ""


def nothing_to_check(operator: Operator, request: object) -> None:
    """Refuse nothing beyond what the request's types refuse."""


def resuming(operator: Operator, request: m.ResumeRequest) -> str:
    """Ask where the state in force is HALTED, FLATTENING or FLAT."""
    status = operator.status()
    states = {scope_text(view.scope): view.state for view in status.states}
    if request.scope == "account":
        states.setdefault("account", status.state)
    state = states.get(request.scope, "")
    return f"{request.scope} is {state}: orders leave again" if state in _HOLDING else ""


def cancelling(operator: Operator, request: m.CancelRequest) -> str:
    """Ask where more than one order is cancelled."""
    return f"every open order of {request.scope} is cancelled" if request.scope else ""


def overriding(operator: Operator, request: m.LimitRequest) -> str:
    """Ask where the new value is not surely tighter than the one in force."""
    present = next((view for view in operator.limits() if view.key == request.key), None)
    # A limit that does not exist is refused by its name; to confirm it first would only delay that.
    if present is None or surely_tighter(request.key, present.value, request.value):
        return ""
    return f"{request.key} {present.value} -> {request.value} may allow more"


def check_cancel(operator: Operator, request: m.CancelRequest) -> None:
    """Refuse a cancel that names neither or both."""
    if bool(request.order_id) == bool(request.scope):
        raise malformed(
            "cancel takes one order or one scope",
            expected="order_id or scope",
            found="both" if request.order_id else "neither",
        )


def check_drill(operator: Operator, request: m.DrillRequest) -> None:
    """Refuse a drill with real money."""
    if operator.status().mode != "paper":
        raise Failure(
            "drills are for paper instances",
            code=ExitCode.REFUSED,
            where=operator.instance,
            expected="mode paper",
            found=operator.status().mode,
        )


def unconfirmed(operator: Operator, why: str, given: str) -> Failure | None:
    """Return the refusal when `why` asks for a confirmation that `given` is not."""
    if not why or given == operator.instance:
        return None
    return Failure(
        "this needs confirmation" if not given else "the confirmation does not match",
        code=ExitCode.REFUSED,
        where=why,
        expected=f"confirm: {operator.instance}",
        found=given or "none",
        next_step=f"repeat it with the instance's name as confirm: {operator.instance}",
    )


def scope_text(scope: str) -> str:
    """Return a scope as requests write it (`strategy:NAME`), whichever way it is shown."""
    return scope.replace(" ", ":", 1)
