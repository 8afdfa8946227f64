"""What stands before every request: faults, credentials, the rate limit, and errors as JSON."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from tradingd.simalpaca.trading.errors import INTERNAL, NOT_FOUND, TOO_MANY, ApiError
from tradingd.simalpaca.trading.faults import STATUSES, Plan
from tradingd.simalpaca.trading.limits import RateLimit
from tradingd.simbroker.faults import (
    DELAY,
    DISCONNECT_AFTER,
    DISCONNECT_BEFORE,
    DROP_REQUEST,
    DROP_RESPONSE,
    LATE_RESPONSE,
    NONE,
    PARTIAL,
    Decision,
)

DECISION: Final = web.RequestKey("decision", Decision)
"""Where a handler finds the fate of its request."""

_ORDERS: Final = "/v2/orders"
_POSITIONS: Final = "/v2/positions"

log = logging.getLogger(__name__)


def operation(request: web.Request) -> str:
    """Return the word by which plans of misbehaviour call a request."""
    path, method = request.path, request.method
    single = path.startswith((f"{_ORDERS}/", f"{_POSITIONS}/"))
    if method == "POST" and path == _ORDERS:
        return "submit"
    if method == "PATCH" and single:
        return "replace"
    if method == "DELETE" and path.startswith(_ORDERS):
        return "cancel" if single else "cancel_all"
    if method == "DELETE" and path.startswith(_POSITIONS):
        return "close" if single else "close_all"
    return "data" if path.startswith(("/v2/stocks", "/v1")) else "question"


class Conduct:
    """Middleware of the HTTP server.

    Parameters
    ----------
    plan : callable
        The present plan of misbehaviour.
    authorized : callable
        Whether a request's headers are let in.
    limit : RateLimit
        Requests of a minute.
    refuse : callable
        Accept no connection for so many seconds.
    """

    def __init__(
        self,
        *,
        plan: Callable[[], Plan],
        authorized: Callable[[Mapping[str, str]], bool],
        limit: RateLimit,
        refuse: Callable[[float], None],
    ) -> None:
        self._plan = plan
        self._authorized = authorized
        self._limit = limit
        self._refuse = refuse

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, as well or badly as the plan wants it."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await handler(request)
        plan = self._plan()
        decision = plan.decide(operation(request))
        _note(operation(request), decision)
        request[DECISION] = decision
        if decision.fault in (DROP_REQUEST, DISCONNECT_BEFORE):
            return self._break(request, decision)
        if decision.delay:
            await request.read()
            await asyncio.sleep(decision.delay)
        status = STATUSES.get(decision.fault)
        if status is not None and decision.fault != "504_done":
            return self._failed(status)
        response = await self._answer(request, handler)
        match decision.fault:
            case fault if fault in (DROP_RESPONSE, DISCONNECT_AFTER):
                if plan.hang and fault == DROP_RESPONSE:
                    await asyncio.sleep(decision.late)
                return self._break(request, decision)
            case fault if fault == LATE_RESPONSE:
                await asyncio.sleep(decision.late)
        return response if status is None else self._failed(status)

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let the handler answer, and say its refusals as Alpaca does."""
        try:
            self._admit(request)
            response = await handler(request)
        except ApiError as error:
            response = _json(error.status, error.body)
        except web.HTTPException as error:
            code = NOT_FOUND if error.status == 404 else error.status * 100_000 + 10_000
            message = {404: "endpoint not found."}.get(error.status, error.reason.lower())
            response = _json(error.status, {"code": code, "message": message})
            response.headers.update({k: v for k, v in error.headers.items() if k == "Allow"})
        except Exception:
            log.exception("request failed: %s %s", request.method, request.path)
            response = _json(500, {"code": INTERNAL, "message": "internal server error occurred"})
        response.headers.update(self._limit.headers())
        return response

    def _admit(self, request: web.Request) -> None:
        if not request.headers.get("APCA-API-KEY-ID") and not request.headers.get("Authorization"):
            raise ApiError(401, None, "unauthorized.")
        if not self._authorized(request.headers):
            raise ApiError(403, None, "forbidden.")
        if not self._limit.take():
            raise ApiError(429, TOO_MANY, "rate limit exceeded")

    def _failed(self, status: int) -> web.Response:
        if status == 429:
            headers = self._limit.headers() or {"X-RateLimit-Limit": "200"}
            headers |= {"X-RateLimit-Remaining": "0"}
            response = _json(429, {"code": TOO_MANY, "message": "rate limit exceeded"})
            response.headers.update(headers)
            return response
        if status == 500:
            return _json(500, {"code": INTERNAL, "message": "internal server error occurred"})
        # What a gateway in between answers is no JSON.
        text = f"<html><body><h1>{status}</h1></body></html>"
        return web.Response(status=status, text=text, content_type="text/html")

    def _break(self, request: web.Request, decision: Decision) -> web.Response:
        """Close the connection without an answer."""
        if request.transport is not None:
            request.transport.abort()
        if decision.fault in (DISCONNECT_BEFORE, DISCONNECT_AFTER):
            self._refuse(decision.refuse)
        return web.Response(status=500)


def _note(what: str, decision: Decision) -> None:
    """Write what goes wrong on purpose into the log, so that it can be counted."""
    fired = {
        decision.fault: decision.fault != NONE,
        DELAY: decision.delay,
        PARTIAL: decision.pieces,
    }
    for fault, does in fired.items():
        if does:
            log.info("fault %s %s", what, fault)


def middleware(conduct: Conduct) -> Middleware:
    """Return the conduct as aiohttp wants it."""

    @web.middleware
    async def stand(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await conduct(request, handler)

    return stand


def _json(status: int, body: Mapping[str, object]) -> web.Response:
    return web.Response(status=status, text=json.dumps(body), content_type="application/json")
