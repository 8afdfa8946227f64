"""alpaca-py's REST client, tamed: every request once, with a time limit, and no key in any text.

alpaca-py repeats a request on 429 and 504 by itself, which would send an order twice, and waits for
an answer without a limit. Both are changed here, in one place.
"""

import ssl
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, Final

import msgspec
import requests
import urllib3.exceptions
from alpaca.common.rest import RESTClient
from requests.adapters import HTTPAdapter

from tradingd.vendors.alpaca.hosts import local
from tradingd.vendors.alpaca.keys import Keys

LONGEST_PAUSE: Final = 60.0
"""Seconds: no rate limit of Alpaca's lasts longer than its minute."""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """What the headers of an answer say of the rate limit.

    `remaining` requests of this minute, and `pause`: seconds until more are allowed.
    """

    remaining: int | None = None
    pause: float | None = None


class Phase(Enum):
    """How far a request had come when it failed."""

    BEFORE = "before anything was written"
    TIMEOUT = "no answer in time"
    AFTER = "the connection broke after the request was written"
    GARBLED = "an answer that cannot be read"
    UNCLEAR = "it cannot be told how far the request had come"


type Heard = Callable[[int, Rate], None]


class OnceAdapter(HTTPAdapter):
    """Sends with a time limit and without repetition; tells status and rate of every answer.

    Parameters
    ----------
    timeout : float
        Seconds to connect, and again between two pieces of the answer.
    heard : Callable
        Called in the thread of the request.
    """

    def __init__(self, timeout: float, heard: Heard) -> None:
        super().__init__(max_retries=0)
        self._timeout = timeout
        self._heard = heard

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        """Send one request."""
        limit = self._timeout if timeout is None else timeout
        response = super().send(
            request, stream=stream, timeout=limit, verify=verify, cert=cert, proxies=proxies
        )
        self._heard(response.status_code, rate(response.headers))
        return response


def tame(
    client: RESTClient, url: str, *, timeout: float, heard: Heard = lambda _status, _rate: None
) -> requests.Session:
    """Switch retries off and time limits on; return the session, for its owner to close.

    Parameters
    ----------
    client : RESTClient
        Any client of alpaca-py, before its first request.
    url : str
        Where its requests go; one on this machine takes no proxy.
    timeout : float
        Seconds to connect, and again between two pieces of the answer.
    heard : Callable
        Hears status and rate of every answer, in the thread of the request.
    """
    # alpaca-py has no public switch: an empty list or a zero given to it means its defaults.
    client._retry = 0
    client._retry_codes = []
    session = client._session
    for scheme in ("https://", "http://"):
        session.mount(scheme, OnceAdapter(timeout, heard))
    if local(url):
        session.trust_env = False
    return session


def phase(error: Exception) -> Phase:
    """Tell how far a request had come.

    Only what certainly happens before the first byte of the request counts as before: no address,
    no connection, a certificate that is not trusted, a request that cannot be built.
    """
    match error:
        case requests.exceptions.ConnectTimeout():
            return Phase.BEFORE
        case requests.exceptions.Timeout():
            return Phase.TIMEOUT
        case requests.exceptions.SSLError():
            return Phase.BEFORE if _untrusted(error) else Phase.AFTER
        case requests.exceptions.ConnectionError():
            return Phase.BEFORE if _never_connected(error) else Phase.AFTER
        case (
            requests.exceptions.InvalidURL()
            | requests.exceptions.InvalidSchema()
            | requests.exceptions.MissingSchema()
            | requests.exceptions.InvalidHeader()
        ):
            return Phase.BEFORE
        case requests.exceptions.InvalidJSONError() | requests.exceptions.ContentDecodingError():
            return Phase.GARBLED
        case requests.exceptions.ChunkedEncodingError():
            return Phase.AFTER
    return Phase.UNCLEAR


def rate(headers: Mapping[str, str]) -> Rate:
    """Read the rate limit's headers; what is missing or odd is None."""
    pause = _number(headers.get("Retry-After"))
    reset, sent = _number(headers.get("X-RateLimit-Reset")), headers.get("Date")
    if pause is None and reset is not None and sent:
        # Against the server's own clock: ours may differ.
        try:
            pause = reset - parsedate_to_datetime(sent).timestamp()
        except ValueError:
            pause = None
    remaining = _number(headers.get("X-RateLimit-Remaining"))
    return Rate(
        remaining=None if remaining is None else int(remaining),
        pause=None if pause is None else min(max(pause, 0.0), LONGEST_PAUSE),
    )


def masked(text: str, keys: Keys) -> str:
    """Return a text in which no key can be read, e.g. one of an exception of a library."""
    for secret in (keys.secret, keys.key_id):
        for form in {secret, secret.strip(), repr(secret)[1:-1]}:
            if form:
                text = text.replace(form, "***")
    return text


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _causes(error: BaseException) -> list[BaseException]:
    """Return what an exception of requests wraps, outermost first."""
    found: list[BaseException] = []
    current: object = error
    while isinstance(current, BaseException) and current not in found:
        found.append(current)
        reason = getattr(current, "reason", None)
        current = (
            reason
            if isinstance(reason, BaseException)
            else next(
                (item for item in current.args if isinstance(item, BaseException)),
                current.__cause__,
            )
        )
    return found


def _never_connected(error: BaseException) -> bool:
    return any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in _causes(error))


def _untrusted(error: BaseException) -> bool:
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))
