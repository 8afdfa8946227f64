"""What became of a command: a total table from what was seen to accepted, rejected or unknown.

=====================================================  ==========================================
seen                                                   outcome
=====================================================  ==========================================
good status, an order with an id (submit: with the     Accepted; Rejected when the order's own
client order id that was sent)                         status is ``rejected``
good status, empty body (cancel)                       Accepted
good status, anything else, a redirect                 Unknown: it proves nothing
any status, "client_order_id must be unique"           Unknown: an order with this id is there,
                                                       perhaps ours from an answer that was lost
400 401 403 404 405 406 410 411 413 414 415 417        Rejected, with Alpaca's message and code:
421 422 426 428 431 451                                the request was read and not taken
429 in the form of Alpaca's rate limit (its headers,   Rejected: the limit stands in front of the
code 42910000, or its message)                         orders, so nothing was done (passing)
429 of anybody else                                    Unknown: who says so may have passed it on
408 409 425 499, other 4xx                             Unknown: it may have been taken before
500 502 503 504, other 5xx                             Unknown: it may have been done
refused, no address, no connection, certificate not    Rejected: not a byte of it has left
trusted, request that cannot be built
no room in the rate limit, no free thread in time      Rejected: not a byte of it has left (passing)
reset or closed after the write, other TLS failure     Unknown: it may have arrived
no answer in time                                      Unknown: it may have arrived, or may yet
an answer that cannot be read                          Unknown: it proves nothing
=====================================================  ==========================================

Sources: the status codes of RFC 9110; Alpaca's OpenAPI document (403: buying power or shares, 422:
parameters); "client_order_id must be unique" comes as 422 with code 40010001.
"""

from typing import Final

from tradingd.brokers.alpaca.replies import (
    Answered,
    Garbled,
    Lost,
    NoAnswer,
    NothingSent,
    Refused,
    Reply,
)
from tradingd.domain.broker import Accepted, Outcome, Rejected, Unknown

NOT_TAKEN: Final = frozenset(
    {400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 417, 421, 422, 426, 428, 431, 451}
)
"""Statuses that say: the request was read, and is not and will not be carried out."""

TOO_MANY: Final = 429
RATE_CODE: Final = 42_910_000
_RATE_WORDS: Final = ("rate limit exceeded", "too many requests")


def of_submit(reply: Reply, client_order_id: str) -> Outcome:
    """Judge the reply to an order that was sent under a client order id."""
    match reply:
        case Answered({"id": str(broker_id), "client_order_id": said} as body) if broker_id:
            if said != client_order_id:
                return Unknown(f"the answer is about another order: {said}")
            return _unless_rejected(body, broker_id)
    return _of_any(reply)


def of_replace(reply: Reply) -> Outcome:
    """Judge the reply to a change: the order in it is the new one."""
    match reply:
        case Answered({"id": str(broker_id)} as body) if broker_id:
            return _unless_rejected(body, broker_id)
    return _of_any(reply)


def of_cancel(reply: Reply, broker_order_id: str) -> Outcome:
    """Judge the reply to a cancel."""
    match reply:
        case Answered(None):
            return Accepted(broker_order_id)
        case Answered({"id": str()}):
            return Accepted(broker_order_id)
    return _of_any(reply)


def duplicate(reply: Reply) -> bool:
    """Tell whether Alpaca says that the client order id is in use."""
    if not isinstance(reply, Refused):
        return False
    said = reply.message.lower()
    return "client_order_id" in said and "unique" in said


def _unless_rejected(body: object, broker_id: str) -> Outcome:
    match body:
        case {"status": "rejected"}:
            return Rejected("rejected by Alpaca or the exchange")
    return Accepted(broker_id)


def _of_any(reply: Reply) -> Outcome:
    match reply:
        case Answered():
            return Unknown("an answer that proves nothing")
        case Refused():
            return _of_refusal(reply)
        case NothingSent(why):
            return Rejected(f"nothing was sent: {why}", passing=True)
        case Lost(why) | NoAnswer(why):
            return Unknown(f"{why}; the request may have arrived")
        case Garbled(why):
            return Unknown(why)


def _of_refusal(reply: Refused) -> Outcome:
    if duplicate(reply):
        return Unknown(f"{reply.text()}: the order may be there")
    if reply.status == TOO_MANY and _alpacas_limit(reply):
        return Rejected(reply.text(), passing=True)
    if reply.status in NOT_TAKEN:
        return Rejected(reply.text())
    return Unknown(f"{reply.text()}; it may have been done")


def _alpacas_limit(reply: Refused) -> bool:
    said = reply.message.lower()
    return reply.limited or reply.code == RATE_CODE or any(word in said for word in _RATE_WORDS)
