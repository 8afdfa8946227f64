"""Read a request: a body within its size and time, JSON within its type, a query within its."""

import asyncio
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import web

from tradingd.control.connection import Patience
from tradingd.control.messages import Request
from tradingd.control.refusals import Refusal, malformed

_TOO_LATE: Final = "the rest of the request did not come"


async def read_body(request: web.BaseRequest, patience: Patience) -> bytes:
    """Return the body, at most ``patience.body_bytes`` of it in memory.

    Raises
    ------
    Refusal
        413 when it is larger (a stated length is refused unread), 408 when it does not come.
    Failure
        ``USAGE`` when it is not as the head says.
    """
    if (request.content_length or 0) > patience.body_bytes:
        raise _too_large(patience)
    body = bytearray()
    try:
        async with asyncio.timeout(patience.body):
            async for part in request.content.iter_any():
                body += part
                if len(body) > patience.body_bytes:
                    raise _too_large(patience)
    except TimeoutError as error:
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, malformed(_TOO_LATE)) from error
    except (web.RequestPayloadError, asyncio.IncompleteReadError) as error:
        raise malformed("the body is not as its head says", found=str(error)) from error
    return bytes(body)


def decode[R: Request](body: bytes, kind: type[R]) -> R:
    """Return the request that a body holds.

    Raises
    ------
    Failure
        ``USAGE`` naming the field that does not fit.
    """
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise malformed(
            "the request does not fit",
            where=kind.__name__,
            found=str(error)[:300],
            next_step="contracts/control.v1.schema.json says what fits",
        ) from error


def query_of[R: Request](request: web.BaseRequest, kind: type[R]) -> R:
    """Return the query (`?last=20`) as its type; unknown and repeated names are refused.

    Raises
    ------
    Failure
        ``USAGE`` naming the field that does not fit.
    """
    values: dict[str, str] = {}
    for name, value in request.query.items():
        if name in values:
            raise malformed("a query's name comes twice", found=name[:100])
        values[name] = value
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise malformed(
            "the query does not fit", where=request.path, found=str(error)[:300]
        ) from error


def _too_large(patience: Patience) -> Refusal:
    failure = malformed("the request is too large", expected=f"at most {patience.body_bytes} bytes")
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, failure)
