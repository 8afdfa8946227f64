"""Take alerts from anywhere in the process and see that they arrive."""

import contextlib
import itertools
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from tradingd.config.alerts import AlertsConfig
from tradingd.config.secrets import Secret
from tradingd.domain.alerts import Alert, Severity
from tradingd.notify.channels import open_channel
from tradingd.notify.lane import Lane, Result
from tradingd.notify.ledger import RANK, Kind, Ledger, Notice, Trouble
from tradingd.notify.message import Message, cut_title, of_instance
from tradingd.notify.outbox import Outbox

_log = logging.getLogger(__name__)

_MOST_QUEUED: Final = 10_000
_LEVELS: Final = {
    Severity.INFO: logging.INFO,
    Severity.TRADE: logging.INFO,
    Severity.WARN: logging.WARNING,
    Severity.PAGE: logging.ERROR,
}
_LABELS: Final = {
    Kind.RESOLVED: "RESOLVED",
    Kind.ESCALATION: "UNACKNOWLEDGED PAGE",
}


def _as_it_is(text: str) -> str:
    return text


class AlertRouter:
    """Routes alerts by severity on threads of its own.

    What arrives is deduplicated by key, limited (pages never), summed up where it was held back,
    escalated while nobody acknowledges a page, and, from severity warn on, kept on disk until it
    has arrived. Its own failures are counted and logged, never alerted.

    Parameters
    ----------
    config : AlertsConfig
        Routes and intervals.
    instance, mode : str
        Named in every title; `mode` is paper or live.
    outbox : Path
        Folder of messages that have not arrived yet.
    resolve : callable
        Turns a reference into the secret that holds an apprise URL.
    clock : callable
        Wall time, UTC ns.
    mask : callable
        Takes secrets out of a text; every title and body passes it.
    tick, rest : float
        Seconds between looks at what is due, and of the first rest of a route that failed.
    """

    def __init__(
        self,
        config: AlertsConfig,
        *,
        instance: str,
        mode: str,
        outbox: Path,
        resolve: Callable[[str], Secret],
        clock: Callable[[], int] = time.time_ns,
        mask: Callable[[str], str] = _as_it_is,
        tick: float = 0.5,
        rest: float = 2.0,
    ) -> None:
        self._config = config
        self._instance = instance
        self._mode = mode
        self._resolve = resolve
        self._clock = clock
        self._mask = mask
        self._tick = tick
        self._rest = rest
        self._ledger = Ledger(config)
        self._ledger_lock = threading.Lock()
        self._outbox = Outbox(outbox)
        self._lanes: dict[str, Lane] = {}
        self._counts: Counter[str] = Counter()
        self._count_lock = threading.Lock()
        self._numbers = itertools.count()
        self._queue: queue.SimpleQueue[Alert | None] = queue.SimpleQueue()
        self._open = False
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)

    def start(self) -> None:
        """Resolve the routes, take up what an earlier process left, and begin.

        Raises
        ------
        Failure
            CONFIG when a route cannot be resolved or understood; it names the reference only.
        """
        self._lanes = self._opened(_references(self._config))
        self._ledger.restore(self._outbox.load_troubles())
        for message in self._outbox.open():
            self._dispatch(self._readdressed(message))
        for lane in self._lanes.values():
            lane.start()
        self._open = True
        self._thread.start()

    def emit(self, alert: Alert) -> None:
        """Take an alert; never blocks, never raises, from any thread."""
        full = self._queue.qsize() >= _MOST_QUEUED * (2 if alert.severity is Severity.PAGE else 1)
        if full or not self._open:
            self._count(Result.DROPPED)
            return
        self._queue.put(alert)

    def acknowledge(self, key: str) -> bool:
        """Stop a page from escalating; False when no trouble of this key is open."""
        with self._ledger_lock:
            return self._ledger.acknowledge(key)

    def troubles(self) -> tuple[Trouble, ...]:
        """Return the troubles that are not resolved, oldest first."""
        with self._ledger_lock:
            return self._ledger.troubles()

    def stats(self) -> Mapping[str, int]:
        """Return counts since the start.

        received, sent, failed (attempts), dropped (given up), deduplicated, suppressed,
        escalated, unrouted.
        """
        with self._count_lock:
            counts = Counter(self._counts)
        return {**counts, **self._ledger.counts}

    @property
    def waiting(self) -> int:
        """Messages that wait to be sent, over all routes."""
        return sum(len(lane) for lane in tuple(self._lanes.values()))

    def reconfigure(self, config: AlertsConfig) -> None:
        """Change routes and intervals; a bad route leaves everything as it was.

        Raises
        ------
        Failure
            CONFIG, as `start`.
        """
        opened = self._opened(_references(config) - self._lanes.keys())
        for lane in opened.values():
            lane.start()
        with self._ledger_lock:
            self._config = self._ledger.config = config
            gone = [self._lanes[one] for one in self._lanes.keys() - _references(config)]
            kept = {name: lane for name, lane in self._lanes.items() if lane not in gone}
            self._lanes = kept | opened
        for lane in gone:
            lane.close()

    def close(self, timeout: float = 10.0) -> bool:
        """Send what waits, each message once more; False when time ran out before.

        What is durable and did not arrive stays in the outbox for the next start.
        """
        if not self._open:
            return True
        self._open = False
        end = time.monotonic() + timeout
        self._queue.put(None)
        self._thread.join(timeout)
        lanes = tuple(self._lanes.values())
        for lane in lanes:
            lane.close()
        joined = [lane.join(max(0.0, end - time.monotonic())) for lane in lanes]
        if not all(joined):
            _log.warning("alerts that wait for a server were left in the outbox")
        return all(joined)

    # -- the router's own thread -------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            alert = None
            with contextlib.suppress(queue.Empty):
                alert = self._queue.get(timeout=self._tick)
                if alert is None:
                    break
            self._guarded(alert)
        with self._ledger_lock:
            rest = self._ledger.flush(self._clock())
        for notice in rest:
            self._tell(notice)
        self._remember()

    def _guarded(self, alert: Alert | None) -> None:
        """Handle one alert and what is due; a bug here must not silence the ones after it."""
        try:
            self._handle(alert)
        except Exception:  # noqa: BLE001 - logged and counted: an alert about alerts feeds itself
            self._count("errors")
            _log.exception("an alert could not be handled")

    def _handle(self, alert: Alert | None) -> None:
        now = self._clock()
        with self._ledger_lock:
            notices = []
            if alert is not None:
                self._count("received")
                notices += self._ledger.offer(alert, now)
            notices += self._ledger.due(now)
        for notice in notices:
            self._tell(notice)
        self._remember()

    def _remember(self) -> None:
        with self._ledger_lock:
            if not self._ledger.changed:
                return
            self._ledger.changed = False
            lasting = [
                one
                for one in self._ledger.troubles()
                if RANK[one.alert.severity] >= RANK[Severity.WARN]
            ]
        self._outbox.save_troubles(lasting)

    def _tell(self, notice: Notice) -> None:
        message = self._message(notice)
        _log.log(
            logging.INFO if message.resolved else _LEVELS[notice.severity],
            "alert: %s",
            message.title,
            extra={
                "fields": {
                    "event": "alert",
                    "alert": notice.key,
                    "severity": notice.severity.value,
                    "kind": notice.kind.value,
                    "detail": message.body,
                }
            },
        )
        if not message.routes:
            self._count("unrouted")
            return
        if message.durable:
            self._outbox.put(message)
        self._dispatch(message)

    def _message(self, notice: Notice) -> Message:
        label = _LABELS.get(notice.kind, notice.severity.value.upper())
        command = f"tradingctl health --instance {self._instance}"
        body = notice.body
        if notice.severity is Severity.PAGE and notice.kind is not Kind.RESOLVED:
            body += f"\nSeen it: tradingctl acknowledge {notice.key} --instance {self._instance}"
        now = self._clock()
        return Message(
            id=f"{now:020d}-{next(self._numbers):06d}",
            key=notice.key,
            severity=notice.severity,
            title=cut_title(
                self._mask(f"{self._mode.upper()} {self._instance} {label}: {notice.title}")
            ),
            body=self._mask(body.strip()),
            next_step=self._mask(of_instance(notice.next_step or command, self._instance)),
            routes=self._routes(notice.severity, escalation=notice.kind is Kind.ESCALATION),
            created=now,
            durable=RANK[notice.severity] >= RANK[Severity.WARN],
            resolved=notice.kind is Kind.RESOLVED,
        )

    def _routes(self, severity: Severity, *, escalation: bool) -> tuple[str, ...]:
        """Return the routes of a severity; a page goes somewhere if there is anywhere to go."""
        config = self._config
        own: tuple[str, ...] = getattr(config, severity.value)
        if escalation and config.escalate:
            own = config.escalate
        elif severity is Severity.PAGE:
            own = own or config.escalate or config.warn or config.info
        return tuple(dict.fromkeys(own))

    def _dispatch(self, message: Message) -> None:
        lanes = self._lanes
        for route in message.routes:
            lane = lanes.get(route)
            if lane is None:  # its route was taken away a moment ago
                self._settled(message, route, Result.DROPPED)
            else:
                lane.put(message)

    def _readdressed(self, message: Message) -> Message:
        """Return a message of an earlier process with the routes that are left of its own.

        When none of them is configured any more, it takes the present ones of its severity.
        """
        left = tuple(route for route in message.routes if route in self._lanes)
        routes = left or self._routes(message.severity, escalation=False)
        if routes == message.routes:
            return message
        if not routes:
            self._outbox.drop(message.id)
            self._count("unrouted")
            return msgspec.structs.replace(message, routes=())
        message = msgspec.structs.replace(message, routes=routes)
        self._outbox.put(message)
        return message

    def _opened(self, references: Iterable[str]) -> dict[str, Lane]:
        return {
            reference: Lane(
                open_channel(self._resolve(reference)),
                settle=self._settled,
                clock=self._clock,
                longest=lambda: self._config.longest_text,
                rest=self._rest,
            )
            for reference in sorted(references)
        }

    def _settled(self, message: Message, route: str, result: Result) -> None:
        self._count(result)
        if result is Result.SENT:
            self._outbox.arrived(message.id, route)
            return
        _log.warning(
            "alert %s on route %s: %s",
            result.value,
            route,
            message.title,
            extra={"fields": {"event": f"alert_{result.value}", "alert": message.key}},
        )
        if result is Result.DROPPED:
            self._outbox.arrived(message.id, route)

    def _count(self, what: str) -> None:
        with self._count_lock:
            self._counts[what] += 1


def _references(config: AlertsConfig) -> set[str]:
    return {
        *config.info, *config.trade, *config.warn, *config.page, *config.escalate,
    }  # fmt: skip
