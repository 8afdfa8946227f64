"""From findings to a plan: which verb of the daemon mends what, what only a person can; pure."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from tradingd.app.verify.report import Finding

type Verb = Literal["cancel-foreign", "adopt", "reconcile"]
type StepState = Literal["planned", "done", "failed", "not done"]

_BY_RECONCILING: Final = {
    "order_state": "settle {subject} by what the broker says",
    "order_unsettled": "settle {subject} by what the broker says",
    "order_not_at_broker": "settle {subject} by what the broker says",
    "order_terms": "take over the broker's terms of {subject}",
    "order_filled": "book what {subject} has filled",
    "adjustment_not_in_journal": "book the adjustment: {text}",
    "cash": "correct cash to the broker's {broker}, with a note",
    "unprotected": "place the stop that is missing: {text}",
    "stop_price": "move the stop: {text}",
}
"""What the daemon's own reconciliation does about a finding."""

_BY_HAND: Final = {
    "fill_not_at_broker": "compare with the broker's statement; never booked away by a program",
    "fill_differs": "compare with the broker's statement; never booked away by a program",
    "average_price": "compare with the broker's statement: only the price of what is held differs",
    "unrealised": "compare with the broker's statement: only the broker's own sum differs",
    "fraction": "close it with the broker's own tools",
    "position": "adopt (tradingctl adopt, or the step of this plan) books the executions behind "
    "it; where it stays after that: transfer, expiry or a corporate action? "
    "see the broker's statement",
}

_CASH_LATER: Final = (
    "not corrected while positions are open questions, or equity would be wrong: "
    "tradingctl adopt first, then look again"
)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One request to the daemon: verb, what about, in words; then how it ended."""

    verb: Verb
    subject: str
    text: str
    state: StepState = "planned"
    answer: str = ""


class ByHand(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that no step mends."""

    check: str
    text: str
    next_step: str


class RepairReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd repair`.

    `plan` is the hash of the steps, empty where there are none. `left` is what a verification found
    after the steps; before them it is what they are for. `options` are the overlay and the
    overrides it was asked with: a next step repeats them.
    """

    instance: str
    plan: str
    applied: bool
    steps: tuple[Step, ...]
    by_hand: tuple[ByHand, ...]
    left: tuple[Finding, ...]
    exit_code: int = 0
    options: tuple[str, ...] = ()


def steps_for(findings: Sequence[Finding]) -> tuple[Step, ...]:
    """Return what is to be done, in the order in which it must happen.

    Foreign orders go first, or they fill meanwhile; then what others traded is booked, and what may
    be behind positions from before the journal; then the daemon reconciles, which books our own
    missed fills, settles orders, corrects cash and places stops for what is held by then. Cash is
    no step while positions are open questions: their shares were paid with it.
    """
    unexplained = _unexplained(findings)
    steps = [
        Step(verb="cancel-foreign", subject=one.subject, text=f"cancel {one.broker}")
        for one in findings
        if one.check == "foreign_order"
    ]
    booked = [
        *(f"{one.broker} ({one.subject}) as manual" for one in findings if _missed(one, "manual")),
        *(f"the executions behind {one.symbol}, of which {one.text}" for one in unexplained),
    ]
    if booked:
        steps.append(Step(verb="adopt", subject="", text=f"book {'; '.join(booked)}"))
    mended = [
        *(f"book the missed fill {one.broker} ({one.subject})"
          for one in findings if _missed(one, "ours")),
        *(_BY_RECONCILING[one.check].format(
            subject=one.subject, text=one.text, broker=one.broker)
          for one in findings
          if one.check in _BY_RECONCILING and not (one.check == "cash" and unexplained)),
    ]  # fmt: skip
    if mended:
        steps.append(Step(verb="reconcile", subject="", text="; ".join(mended)))
    return tuple(steps)


def by_hand(findings: Sequence[Finding]) -> tuple[ByHand, ...]:
    """Return what no step mends, with what a person does about it."""
    unexplained = _unexplained(findings)
    left = dict(_BY_HAND, **({"cash": _CASH_LATER} if unexplained else {}))
    return tuple(
        ByHand(check=one.check, text=one.text, next_step=left[one.check])
        for one in findings
        if one.check in left and (one.check != "position" or one in unexplained)
    )


def places_stops(findings: Iterable[Finding]) -> bool:
    """Tell whether mending sends orders: not possible while the kill switch is latched."""
    return any(one.check in ("unprotected", "stop_price") for one in findings)


def plan_hash(steps: Sequence[Step]) -> str:
    """Return what a person repeats to apply exactly this plan; empty for an empty one."""
    if not steps:
        return ""
    asked = [(step.verb, step.subject, step.text) for step in steps]
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()[:12]


def _unexplained(findings: Iterable[Finding]) -> list[Finding]:
    """Return positions that no execution since the journal began accounts for."""
    found = tuple(findings)
    explained = {one.symbol for one in found if one.check == "fill_not_in_journal"}
    return [one for one in found if one.check == "position" and one.symbol not in explained]


def _missed(finding: Finding, owner: str) -> bool:
    return finding.check == "fill_not_in_journal" and finding.owner == owner
