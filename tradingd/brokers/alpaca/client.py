"""Transport: requests through alpaca-py in threads of their own, each sent once.

The only module of the package that imports alpaca-py.
"""

import asyncio
import contextlib
import contextvars
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from typing import Any, Final

import pydantic
import requests
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.requests import (
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLimitOrderRequest,
    StopOrderRequest,
    TrailingStopOrderRequest,
)

from tradingd.brokers.alpaca.replies import (
    Answered,
    Garbled,
    Lost,
    NoAnswer,
    NothingSent,
    Refused,
    Reply,
)
from tradingd.domain.broker import Withdrawn
from tradingd.kits.pacing import Pace
from tradingd.vendors.alpaca.keys import Keys
from tradingd.vendors.alpaca.rest import Phase, Rate, masked, phase, tame

log = logging.getLogger(__name__)

FIRST, SOON, LATER = 0, 1, 2
"""Priorities: cancels and orders that reduce risk, questions, entries and checks."""

WORKERS: Final = 4
"""Threads for commands, and as many for questions: a slow listing never holds an order up."""

PATIENCE: Final = 60.0
"""Seconds that what is not an entry waits for its turn: all that the rate allows in a minute."""

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
"""Seconds without a request after a 429: what Alpaca says, at most the longest; where it does not
say, doubled with each in a row."""

FIRST_URGENT: Final = 1.0
LONGEST_URGENT: Final = 5.0
"""The same for what has priority `FIRST`, whatever Alpaca says: a position may lack its stop."""

_TOO_MANY: Final = 429
_SHOWN: Final = 300

_MODELS: Final = {
    "market": MarketOrderRequest,
    "limit": LimitOrderRequest,
    "stop": StopOrderRequest,
    "stop_limit": StopLimitOrderRequest,
    "trailing_stop": TrailingStopOrderRequest,
}

_URGENTLY: Final = contextvars.ContextVar("urgently", default=False)

type Fields = Mapping[str, object]


class Client:
    """Alpaca's trading API; inert until `start`.

    Parameters
    ----------
    keys : Keys
        Shown to Alpaca only.
    rest : str
        Base URL, without the version.
    timeout : float
        Seconds to connect, and to wait for the next piece of an answer.
    per_minute : int
        Requests a minute.
    """

    def __init__(self, keys: Keys, *, rest: str, timeout: float, per_minute: int) -> None:
        self._keys = keys
        self._rest = rest.rstrip("/")
        self._timeout = timeout
        self._per_minute = per_minute
        self._pace: Pace | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pools: tuple[ThreadPoolExecutor, ...] = ()
        self._own = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[requests.Session] = []
        self._pause = FIRST_PAUSE
        self._urgent = FIRST_URGENT
        self._round = 0.0
        self.requests = 0
        """How many have been sent."""

    @property
    def pace(self) -> Pace:
        """The rate limit."""
        assert self._pace is not None, "not started"
        return self._pace

    def start(self) -> None:
        """Make the threads ready; nothing is sent."""
        self._loop = asyncio.get_running_loop()
        self._pace = Pace(self._per_minute, clock=self._loop.time)
        self._pools = tuple(
            ThreadPoolExecutor(WORKERS, thread_name_prefix=f"alpaca-{what}")
            for what in ("orders", "questions")
        )

    async def stop(self) -> None:
        """Send nothing more; requests that are under way are not waited for."""
        pools, self._pools = self._pools, ()
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            sessions, self._sessions = self._sessions, []
        for session in sessions:
            session.close()

    async def command(
        self, method: str, path: str, body: Fields | None = None, *, priority: int = FIRST
    ) -> Reply:
        """Send a command once, when its turn comes.

        One of priority `LATER` that would wait longer than the time limit is not sent at all.
        """
        return await self._call(0, method, path, body, priority)

    @staticmethod
    @contextlib.contextmanager
    def urgently() -> Iterator[None]:
        """Let the questions of the block go first: an urgent command waits for their answers."""
        token = _URGENTLY.set(True)
        try:
            yield
        finally:
            _URGENTLY.reset(token)

    async def question(
        self, path: str, params: Fields | None = None, *, priority: int = SOON
    ) -> Reply:
        """Ask; a question changes nothing, so whoever asks may ask again."""
        return await self._call(1, "GET", path, params, FIRST if _URGENTLY.get() else priority)

    @staticmethod
    def objection(body: Fields) -> str | None:
        """Return what alpaca-py's request models have against the body of an order."""
        kind = body.get("type")
        model = _MODELS.get(str(kind))
        return f"alpaca-py knows no order type {kind}" if model is None else _objection(model, body)

    @staticmethod
    def change_objection(body: Fields) -> str | None:
        """Return what alpaca-py's request model has against the body of a change."""
        # This model compares before it converts: it takes no text for a number.
        texts = ("qty", "limit_price", "stop_price", "trail")
        numbers = {key: Decimal(str(body[key])) for key in texts if key in body}
        return _objection(ReplaceOrderRequest, {**body, **numbers})

    # -- private: on the loop --------------------------------------------------------------------

    async def _call(
        self, pool: int, method: str, path: str, data: Fields | None, priority: int
    ) -> Reply:
        if not self._pools:
            return NothingSent("not connected")
        if not await self._turn(priority):
            return NothingSent("the rate limit leaves no room in time")
        if not self._pools:
            return NothingSent("not connected any more")
        self.requests += 1
        running = self._pools[pool].submit(self._once, method, path, data)
        return await self._answer(running)

    async def _turn(self, priority: int) -> bool:
        patience = self._timeout if priority >= LATER else PATIENCE
        if self.pace.waits(priority) > patience:
            return False
        try:
            async with asyncio.timeout(patience):
                await self.pace.take(priority)
        except TimeoutError:
            return False
        except asyncio.CancelledError:
            raise Withdrawn from None
        return True

    async def _answer(self, running: Future[Reply]) -> Reply:
        """Wait for a thread; one that is fed byte by byte is given up, too."""
        limit = 3 * self._timeout
        try:
            async with asyncio.timeout(limit):
                return await asyncio.shield(asyncio.wrap_future(running))
        except TimeoutError:
            if running.cancel():
                return NothingSent("no thread was free in time")
            return NoAnswer(f"no whole answer in {limit:g} s")
        except asyncio.CancelledError:
            if running.cancel():
                raise Withdrawn from None
            raise

    def _note(self, status: int, said: Rate) -> None:
        if status != _TOO_MANY:
            self._pause, self._urgent = FIRST_PAUSE, FIRST_URGENT
            if said.remaining is not None:
                self.pace.remaining(said.remaining)
            return
        now = asyncio.get_running_loop().time()
        pause = min(self._pause if said.pause is None else said.pause, LONGEST_PAUSE)
        urgent = self._round - now
        if urgent <= 0:
            # Several under way are refused together: that is one time, not several in a row.
            urgent = min(self._urgent, pause)
            self._round = now + urgent
            self._urgent = min(2 * self._urgent, LONGEST_URGENT)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            log.warning(
                "Alpaca limits the rate: %.1f s of pause, %.1f s at most for what is urgent",
                pause,
                urgent,
            )
        self.pace.slow(pause, urgent=urgent)

    # -- private: in a thread --------------------------------------------------------------------

    def _once(self, method: str, path: str, data: Fields | None) -> Reply:
        """Send one request; whatever happens becomes a reply that shows no key."""
        try:
            return Answered(_send(self._sdk(), method, path, data))
        except APIError as error:
            return self._refusal(error)
        except Exception as error:  # noqa: BLE001 - after a send nothing may stay unjudged
            return self._trouble(error)

    def _sdk(self) -> TradingClient:
        """Return this thread's own client: a session of requests is not made to be shared."""
        found: TradingClient | None = getattr(self._own, "sdk", None)
        if found is None:
            found = TradingClient(
                api_key=self._keys.key_id,
                secret_key=self._keys.secret,
                raw_data=True,
                url_override=self._rest,
            )
            session = tame(found, self._rest, timeout=self._timeout, heard=self._tell)
            with self._lock:
                self._sessions.append(session)
            self._own.sdk = found
        return found

    def _tell(self, status: int, said: Rate) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(self._note, status, said)

    def _refusal(self, error: APIError) -> Refused:
        response = error.response
        text = str(error)
        code, message = _said(text)
        headers = {} if response is None else response.headers
        return Refused(
            status=0 if response is None else response.status_code,
            code=code,
            message=masked(message, self._keys),
            limited="X-RateLimit-Limit" in headers or "X-RateLimit-Remaining" in headers,
            request_id=headers.get("X-Request-ID", ""),
        )

    def _trouble(self, error: Exception) -> Reply:
        how = phase(error)
        why = masked(f"{how.value}: {type(error).__name__}: {error}"[:_SHOWN], self._keys)
        match how:
            case Phase.BEFORE:
                return NothingSent(why)
            case Phase.TIMEOUT:
                return NoAnswer(why)
            case Phase.GARBLED:
                return Garbled(why)
            case Phase.AFTER | Phase.UNCLEAR:
                return Lost(why)


def _send(sdk: TradingClient, method: str, path: str, data: Fields | None) -> object:
    fields = None if data is None else dict(data)
    match method:
        case "GET":
            return sdk.get(path, fields)
        case "POST":
            return sdk.post(path, fields)
        case "PATCH":
            return sdk.patch(path, fields)
        case "DELETE":
            return sdk.delete(path, fields)
    raise requests.exceptions.InvalidURL(f"no such method: {method}")


def _said(text: str) -> tuple[int | None, str]:
    """Read Alpaca's code and message; a body of another form is quoted in part."""
    try:
        body: Any = json.loads(text)
    except ValueError:
        return None, " ".join(text.split())[:_SHOWN]
    if not isinstance(body, dict):
        return None, str(body)[:_SHOWN]
    code = body.get("code")
    return (code if isinstance(code, int) else None), str(body.get("message", ""))[:_SHOWN]


def _objection(model: type[pydantic.BaseModel], body: Fields) -> str | None:
    try:
        made = model(**body)
    except pydantic.ValidationError as error:
        return "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()
        )
    lost = body.keys() - made.model_dump(exclude_none=True).keys()
    return f"alpaca-py drops {', '.join(sorted(lost))}" if lost else None
