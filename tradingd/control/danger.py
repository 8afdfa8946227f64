"""When a request needs the instance's name typed again, and when it makes no sense at all.

Pure: what is asked, and the daemon's present state, give the reason or nothing.
"""

from collections.abc import Callable
from typing import Any, Final

from tradingd.control import messages as m
from tradingd.control.loosening import surely_tighter
from tradingd.control.operator import Operator
from tradingd.control.refusals import malformed
from tradingd.domain.orders import Purpose
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
    """Ask where more than one order is cancelled, or one that protects a position."""
    if request.scope:
        return f"every open order of {request.scope} is cancelled"
    guarding = any(
        view.order_id == request.order_id and view.purpose == Purpose.PROTECT
        for view in operator.orders()
    )
    return f"{request.order_id} protects a position" if guarding else ""


def overriding(operator: Operator, request: m.LimitRequest) -> str:
    """Ask where the new value is not surely tighter than the one in force."""
    named = _limit_name(request.key)
    present = next((view for view in operator.limits() if _limit_name(view.key) == named), None)
    # A limit that does not exist is refused by its name; to confirm it first would only delay that.
    if present is None or surely_tighter(request.key, present.value, request.value):
        return ""
    return f"{request.key} {present.value} -> {request.value} may allow more"


def arming(operator: Operator, request: m.ArmRequest) -> str:
    """Ask where there is something to arm; what there is not, the verb refuses by its name."""
    status = operator.status()
    if status.mode != "live" or request.account != status.account:
        return ""
    return f"account {status.account} may open positions for {request.minutes} minutes: real money"


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


def the_instance(operator: Operator) -> str:
    """Let a person type the instance's name."""
    return operator.instance


def the_account(operator: Operator) -> str:
    """Let a person type the number of the broker account."""
    return operator.status().account


def unconfirmed(why: str, given: str, wanted: str) -> Failure | None:
    """Return the refusal when `why` asks for a confirmation, and `given` is not `wanted`."""
    if not why or given == wanted:
        return None
    return Failure(
        "this needs confirmation" if not given else "the confirmation does not match",
        code=ExitCode.REFUSED,
        where=why,
        expected=f"confirm: {wanted}",
        found=given or "none",
        next_step=f"repeat it with confirm: {wanted}",
    )


def _limit_name(key: str) -> str:
    """Return a limit's name without its group, which a person may leave out."""
    return key.rpartition(".")[2]


def scope_text(scope: str) -> str:
    """Return a scope as requests write it (`strategy:NAME`), whichever way it is shown."""
    return scope.replace(" ", ":", 1)
