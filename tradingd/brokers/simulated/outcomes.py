"""What became of a command: a total table from what was seen to accepted, rejected or unknown.

==================================================  ==============================================
seen                                                outcome
==================================================  ==============================================
reply ``accepted`` with a broker order id           Accepted
reply ``rejected``                                  Rejected: the broker has decided
error ``bad_request``                               Rejected: it promises that nothing was done
any other reply (error ``internal``, garbled, new)  Unknown: it proves nothing
no connection to write to                           Rejected: not a byte has left
connection lost after the write                     Unknown: it may have arrived
no answer in time                                   Unknown: it may have arrived, or may yet
==================================================  ==============================================
"""

from tradingd.brokers.simulated.client import Body, Lost, NoAnswer, NothingSent
from tradingd.domain.broker import Accepted, Outcome, Rejected, Unknown

type Trouble = NothingSent | Lost | NoAnswer


def of_reply(reply: Body) -> Outcome:
    """Judge a reply."""
    match reply:
        case {"ok": True, "outcome": "accepted", "broker_order_id": str(broker_id)} if broker_id:
            return Accepted(broker_id)
        case {"ok": True, "outcome": "rejected"}:
            return Rejected(str(reply.get("reason", "")) or "rejected without a reason")
        case {"ok": False, "code": "bad_request"}:
            return Rejected(str(reply.get("error", "")) or "not understood by the broker")
        case {"ok": False}:
            return Unknown(f"the broker failed: {reply.get('error', 'no reason given')}")
    return Unknown(f"an answer that proves nothing: {reply}")


def of_trouble(trouble: Trouble) -> Outcome:
    """Judge the absence of a reply."""
    match trouble:
        case NothingSent():
            return Rejected("not connected, nothing was sent")
        case Lost():
            return Unknown(f"{trouble}; the request may have arrived")
        case NoAnswer():
            return Unknown(f"{trouble}; the request may have arrived")
