"""Carry out one acting verb: audited before and after, confirmed where it is dangerous."""

import asyncio
import logging
import time

import msgspec

from tradingd.control import messages as m
from tradingd.control.answers import Done
from tradingd.control.danger import unconfirmed
from tradingd.control.operator import Operator
from tradingd.control.verbs import Acting
from tradingd.kits.failure import ExitCode, Failure

_log = logging.getLogger(__name__)


async def act(operator: Operator, verb: Acting, request: m.Request, peer: m.Peer) -> Done:
    """Do it, and return what changed with the seconds it took.

    Raises
    ------
    Failure
        What the daemon refuses, ``REFUSED`` where a confirmation is missing, ``JOURNAL`` where the
        audit cannot be written and the verb is not one that only takes risk away.
    """
    record = _Record(operator, verb, request, peer)
    record.asked()
    began = time.perf_counter()
    try:
        verb.check(operator, request)
        refusal = unconfirmed(
            verb.rule(operator, request), _confirmation(request), verb.typed(operator)
        )
        if refusal is not None:
            raise refusal
        done = await verb.act(operator, request, peer)
    except Failure as failure:
        record.ended("refused", failure.line())
        raise
    except asyncio.CancelledError:
        record.ended("cut off", "the daemon stops")
        raise
    except Exception as error:
        record.ended("failed", repr(error))
        raise
    took = time.perf_counter() - began
    done = msgspec.structs.replace(done, seconds=done.seconds or round(took, 6))
    record.ended("done", msgspec.json.encode(done).decode())
    return done


def refused_by_permission(operator: Operator, verb: Acting, peer: m.Peer) -> None:
    """Audit that somebody without the right asked for an acting verb."""
    try:
        operator.audit(actor=peer, action=f"{verb.name} forbidden", subject="", detail="")
    except Exception:  # noqa: BLE001 - it is refused, audited or not
        _log.exception("a forbidden %s by %s (uid %d) is not audited", verb.name, *_who(peer))


class _Record:
    """The audit of one request: asked, then exactly one of done, refused, failed, cut off."""

    def __init__(self, operator: Operator, verb: Acting, request: m.Request, peer: m.Peer) -> None:
        self._operator = operator
        self._verb = verb
        self._peer = peer
        self._subject = subject(request)
        self._detail = detail(request)

    def asked(self) -> None:
        try:
            self._write("asked", self._detail)
        except Exception as error:
            if not self._verb.calming:
                raise Failure(
                    "the audit cannot be written, so nothing is done",
                    code=ExitCode.JOURNAL,
                    found=str(error),
                    next_step="tradingctl health; pause, halt, flatten and cancel still work",
                ) from error
            _log.exception(
                "%s by %s (uid %d) goes on unaudited", self._verb.name, *_who(self._peer)
            )

    def ended(self, how: str, text: str) -> None:
        try:
            self._write(how, text)
        except Exception:  # noqa: BLE001 - what was done stays done, the answer must go out
            _log.exception("%s of %s is not audited: %s", how, self._verb.name, text)

    def _write(self, step: str, text: str) -> None:
        self._operator.audit(
            actor=self._peer,
            action=f"{self._verb.name} {step}",
            subject=self._subject,
            detail=text,
        )


def subject(request: m.Request) -> str:
    """Return what a request is about: an order, a limit, a job, an alert, a part, or a scope."""
    for name in ("order_id", "broker_order_id", "account", "key", "name", "part", "level", "scope"):
        value = getattr(request, name, "")
        if value:
            return str(value)
    return ""


def detail(request: m.Request) -> str:
    """Return the request as JSON for the audit; a token is a secret and stays out."""
    if isinstance(request, m.ArmRequest) and request.token:
        request = msgspec.structs.replace(request, token="***")  # noqa: S106
    return msgspec.json.encode(request).decode()


def _confirmation(request: m.Request) -> str:
    return str(getattr(request, "confirm", ""))


def _who(peer: m.Peer) -> tuple[str, int]:
    return peer.name, peer.uid
