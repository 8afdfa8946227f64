"""When somebody is told: deduplication, rate, escalation, batches of trades. Pure and clocked."""

from collections import Counter, deque
from enum import StrEnum
from typing import Final

import msgspec

from tradingd.config.alerts import AlertsConfig
from tradingd.domain.alerts import Alert, Severity

MINUTE: Final = 60_000_000_000
FORGOTTEN: Final = 24 * 60 * MINUTE
"""A trouble that nobody has reported for this long is over; ns."""

RANK: Final = {Severity.INFO: 0, Severity.TRADE: 1, Severity.WARN: 2, Severity.PAGE: 3}

_MOST_TROUBLES: Final = 2_000
_MOST_LINES: Final = 25


class Kind(StrEnum):
    """Why something is told."""

    NEW = "new"
    AGAIN = "again"
    RESOLVED = "resolved"
    ESCALATION = "escalation"
    BATCH = "batch"
    SUMMARY = "summary"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell."""

    kind: Kind
    key: str
    severity: Severity
    title: str
    body: str = ""
    next_step: str = ""


class Trouble(msgspec.Struct, kw_only=True):
    """A trouble that is not resolved; times are wall times, UTC ns, 0 for never."""

    alert: Alert
    first: int
    seen: int = 1
    last_seen: int = 0
    first_told: int = 0
    last_told: int = 0
    acknowledged: bool = False
    escalations: int = 0

    @property
    def times(self) -> str:
        """How often it was reported, as the end of a title."""
        return f" (seen {self.seen}x)" if self.seen > 1 else ""


class Ledger:
    """Decides what is told; whoever owns it calls `due` about once a second.

    Parameters
    ----------
    config : AlertsConfig
        Intervals and limits; `config` may be replaced at any time.
    """

    def __init__(self, config: AlertsConfig) -> None:
        self.config = config
        self.counts: Counter[str] = Counter()
        self.changed = False
        self._troubles: dict[str, Trouble] = {}
        self._told: deque[int] = deque()
        self._suppressed: Counter[tuple[Severity, str]] = Counter()
        self._suppressed_since = 0
        self._trades: dict[str, tuple[Alert, int]] = {}
        self._trades_since = 0

    def offer(self, alert: Alert, now: int) -> list[Notice]:
        """Take an alert; return what is to be told now."""
        if alert.resolved:
            return self._resolve(alert, now)
        if alert.severity is Severity.TRADE:
            self._batch(alert, now)
            return []
        trouble = self._troubles.get(alert.key)
        if trouble is None:
            trouble = self._troubles[alert.key] = Trouble(alert=alert, first=now, last_seen=now)
            self._bound()
            return self._tell(trouble, Kind.NEW, now)
        trouble.seen += 1
        trouble.last_seen = now
        worse = RANK[alert.severity] > RANK[trouble.alert.severity]
        if not worse and trouble.last_told and now - trouble.last_told < self._repeat:
            self.counts["deduplicated"] += 1
            return []
        if RANK[alert.severity] >= RANK[trouble.alert.severity]:
            trouble.alert = alert
        if worse:
            trouble.acknowledged = False
        return self._tell(trouble, Kind.AGAIN, now)

    def due(self, now: int) -> list[Notice]:
        """Return what time makes due: escalations, batches, sums of what was suppressed."""
        notices = self._escalate(now)
        if self._trades and now - self._trades_since >= MINUTE:
            notices += self._trade_notice(now)
        if self._suppressed and now - self._suppressed_since >= MINUTE and self._room(now):
            notices += self._summary(now)
        self._forget(now)
        return notices

    def flush(self, now: int) -> list[Notice]:
        """Return what was being gathered, without waiting."""
        notices = self._trade_notice(now) if self._trades else []
        return notices + (self._summary(now) if self._suppressed else [])

    def acknowledge(self, key: str) -> bool:
        """Stop a page from escalating; False when no such trouble is open."""
        trouble = self._troubles.get(key)
        if trouble is None:
            return False
        trouble.acknowledged = True
        self.changed = True
        return True

    def troubles(self) -> tuple[Trouble, ...]:
        """Return the open troubles, oldest first."""
        return tuple(self._troubles.values())

    def restore(self, troubles: tuple[Trouble, ...]) -> None:
        """Go on with the troubles of an earlier process."""
        self._troubles = {one.alert.key: one for one in troubles} | self._troubles

    @property
    def _repeat(self) -> int:
        return self.config.repeat_minutes * MINUTE

    def _resolve(self, alert: Alert, now: int) -> list[Notice]:
        trouble = self._troubles.pop(alert.key, None)
        if trouble is None:
            return []
        self.changed = True
        if not trouble.last_told:
            return []
        lasted = max(1, round((now - trouble.first) / 1e9))
        body = f"{alert.body}\nIt lasted {lasted:,} s.".strip()
        notice = Notice(
            kind=Kind.RESOLVED,
            key=alert.key,
            severity=trouble.alert.severity,
            title=trouble.alert.title + trouble.times,
            body=body,
            next_step=alert.next_step or "nothing; it is over",
        )
        return self._limited(notice, now)

    def _tell(self, trouble: Trouble, kind: Kind, now: int) -> list[Notice]:
        alert = trouble.alert
        notice = Notice(
            kind=kind,
            key=alert.key,
            severity=alert.severity,
            title=alert.title + trouble.times,
            body=alert.body,
            next_step=alert.next_step,
        )
        told = self._limited(notice, now)
        if told:
            trouble.first_told = trouble.first_told or now
            trouble.last_told = now
            self.changed = True
        return told

    def _limited(self, notice: Notice, now: int) -> list[Notice]:
        """Return the notice, or nothing when too many were told; pages always pass."""
        if notice.severity is not Severity.PAGE:
            if not self._room(now):
                self.counts["suppressed"] += 1
                self._suppressed_since = self._suppressed_since or now
                self._suppressed[notice.severity, notice.title] += 1
                return []
            self._told.append(now)
        return [notice]

    def _room(self, now: int) -> bool:
        while self._told and now - self._told[0] >= MINUTE:
            self._told.popleft()
        return len(self._told) < self.config.per_minute

    def _escalate(self, now: int) -> list[Notice]:
        notices = []
        wait = max(1, self.config.escalate_minutes) * MINUTE
        for trouble in self._troubles.values():
            if (
                trouble.alert.severity is not Severity.PAGE
                or trouble.acknowledged
                or not trouble.first_told
                or trouble.escalations >= self.config.escalations
                or now - trouble.first_told < wait * (trouble.escalations + 1)
            ):
                continue
            trouble.escalations += 1
            self.changed = True
            self.counts["escalated"] += 1
            waited = round((now - trouble.first_told) / MINUTE)
            notices.append(
                Notice(
                    kind=Kind.ESCALATION,
                    key=trouble.alert.key,
                    severity=Severity.PAGE,
                    title=f"{trouble.alert.title}{trouble.times}",
                    body=f"Nobody acknowledged this for {waited} min "
                    f"({trouble.escalations} of {self.config.escalations}).\n{trouble.alert.body}",
                    next_step=trouble.alert.next_step,
                )
            )
        return notices

    def _batch(self, alert: Alert, now: int) -> None:
        self._trades_since = self._trades_since if self._trades else now
        _, seen = self._trades.get(alert.key, (alert, 0))
        self._trades[alert.key] = (alert, seen + 1)

    def _trade_notice(self, now: int) -> list[Notice]:
        trades, self._trades = list(self._trades.values()), {}
        first, _ = trades[0]
        if len(trades) == 1:
            notice = Notice(
                kind=Kind.BATCH,
                key=first.key,
                severity=Severity.TRADE,
                title=first.title,
                body=first.body,
                next_step=first.next_step,
            )
            return self._limited(notice, now)
        lines = [
            one.title + (f": {one.body}" if one.body else "") + (f" ({n}x)" if n > 1 else "")
            for one, n in trades
        ]
        notice = Notice(
            kind=Kind.BATCH,
            key="trades",
            severity=Severity.TRADE,
            title=f"{len(trades)} trade events",
            body=_listed(lines),
            next_step=first.next_step,
        )
        return self._limited(notice, now)

    def _summary(self, now: int) -> list[Notice]:
        suppressed, self._suppressed = self._suppressed, Counter()
        self._suppressed_since = 0
        # Counted as told whether there is room or not: a sum of sums helps nobody.
        self._told.append(now)
        total = suppressed.total()
        lines = [f"{count}x {severity}: {title}" for (severity, title), count in
                 suppressed.most_common()]  # fmt: skip
        return [
            Notice(
                kind=Kind.SUMMARY,
                key="suppressed",
                severity=max((severity for severity, _ in suppressed), key=RANK.__getitem__),
                title=f"{total} alerts held back (more than {self.config.per_minute} a minute)",
                body=_listed(lines),
            )
        ]

    def _forget(self, now: int) -> None:
        """Drop what ended without a word; an information is over once it may be repeated."""
        over = [
            key
            for key, one in self._troubles.items()
            if now - one.last_seen
            > (self._repeat if one.alert.severity is Severity.INFO else FORGOTTEN)
        ]
        for key in over:
            del self._troubles[key]
            self.changed = True

    def _bound(self) -> None:
        if len(self._troubles) > _MOST_TROUBLES:
            oldest = min(
                self._troubles, key=lambda key: RANK[self._troubles[key].alert.severity]
            )  # the first, so the oldest, of the least severe
            del self._troubles[oldest]
            self.counts["forgotten"] += 1


def _listed(lines: list[str]) -> str:
    shown = lines[:_MOST_LINES]
    rest = len(lines) - len(shown)
    return "\n".join(shown + ([f"... and {rest} more"] if rest else []))
