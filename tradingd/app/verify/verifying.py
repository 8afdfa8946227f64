"""Look, and where something differs look again: only what stands both times is reported."""

import asyncio
import time
from pathlib import Path
from typing import Final

import msgspec

from tradingd.app.verify.compare import Compared, compare
from tradingd.app.verify.connect import Asked, connection
from tradingd.app.verify.facts import Ours, Theirs
from tradingd.app.verify.ours import read_journal
from tradingd.app.verify.report import Finding, Tolerances, VerifyReport
from tradingd.app.verify.theirs import ask_broker
from tradingd.config.system import SystemConfig
from tradingd.domain import endpoint
from tradingd.domain.broker_reports import BrokerAccount
from tradingd.domain.money import dollars
from tradingd.kits.failure import ExitCode, Failure

JOURNAL: Final = "journal.sqlite"

_EARLIER: Final = 60 * 1_000_000_000
"""Fills are asked for from this long before the journal's first moment: the same execution may have
two times, on the stream and in the list."""


class Look(msgspec.Struct, frozen=True):
    """One comparison and what it was made of."""

    ours: Ours
    theirs: Theirs
    compared: Compared


async def verify(
    instance: str,
    config: SystemConfig,
    state: Path,
    *,
    again_seconds: float,
    tolerances: Tolerances,
) -> VerifyReport:
    """Compare an instance's journal with its broker, from outside.

    Parameters
    ----------
    state : Path
        The instance's state folder; nothing is written there.
    again_seconds : float
        Between the two looks: orders in flight have this long to arrive.

    Raises
    ------
    Failure
        BROKER when the broker is away or holds another account, JOURNAL without a journal, CONFIG.
    """
    begun = time.monotonic()
    journal = state / JOURNAL
    read_journal(journal)  # Without one nothing has to be connected.
    broker = connection(config, state)
    try:
        _demand_account(await broker.connect(), state)
        look = await _look(instance, broker, journal, tolerances)
        first, looks = look.compared.findings, 1
        standing = first
        if first:
            await asyncio.sleep(again_seconds)
            look, looks = await _look(instance, broker, journal, tolerances), 2
            standing = both(first, look.compared.findings)
    finally:
        await broker.close()
    return _report(
        instance, broker.name, look, standing,
        tolerances=tolerances, looks=looks, passing=len(first) - len(standing),
        seconds=time.monotonic() - begun,
    )  # fmt: skip


def both(first: tuple[Finding, ...], second: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings of the second look that the first had, too."""
    before = {finding.same for finding in first}
    return tuple(finding for finding in second if finding.same in before)


async def _look(instance: str, broker: Asked, journal: Path, tolerances: Tolerances) -> Look:
    """Read the journal before and after the broker; what agrees with either was only moving."""
    before = _dated(await asyncio.to_thread(read_journal, journal), broker.name)
    theirs = await ask_broker(broker, max(0, before.since - _EARLIER))
    after = _dated(await asyncio.to_thread(read_journal, journal), broker.name)
    found = compare(instance, before, theirs, tolerances)
    later = compare(instance, after, theirs, tolerances)
    standing = both(found.findings, later.findings)
    return Look(after, theirs, msgspec.structs.replace(later, findings=standing))


def _dated(ours: Ours, broker: str) -> Ours:
    """Let a journal without records begin with its first run, where data time is wall time.

    What was traded in an account before an instance was there is not its business; a simulated
    broker lives in data time and in one instance.
    """
    if ours.since or broker == "simulated":
        return ours
    return msgspec.structs.replace(ours, since=ours.started)


def _demand_account(account: BrokerAccount, state: Path) -> None:
    try:
        known = endpoint.read(state).account
    except Failure:
        return
    if known and known != account.account_id:
        raise Failure(
            "the broker holds another account than this instance's",
            code=ExitCode.BROKER,
            where=str(state / endpoint.ENDPOINT),
            expected=known,
            found=account.account_id,
            next_step="nothing was compared; check the configuration and the keys",
        )


def _report(
    instance: str,
    broker: str,
    look: Look,
    standing: tuple[Finding, ...],
    *,
    tolerances: Tolerances,
    looks: int,
    passing: int,
    seconds: float,
) -> VerifyReport:
    ours, theirs = look.ours, look.theirs
    return VerifyReport(
        instance=instance,
        broker=broker,
        account=theirs.account.account_id,
        agree=not standing,
        positions=look.compared.positions,
        findings=standing,
        broker_cash=dollars(theirs.account.cash),
        our_cash="" if ours.cash is None else dollars(ours.cash),
        open_orders=len(theirs.orders),
        foreign_orders=look.compared.foreign_orders,
        fills=len(theirs.fills),
        tolerances=tolerances,
        looks=looks,
        passing=passing,
        since=ours.since,
        wall=time.time_ns(),
        seconds=round(seconds, 3),
        exit_code=ExitCode.RECONCILE if standing else ExitCode.OK,
    )
