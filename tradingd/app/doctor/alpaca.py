"""Whether Alpaca lets us in to the right kind of account, and our clocks and calendars agree."""

import asyncio
import datetime as dt
import time
from collections.abc import Iterator
from typing import Final

from tradingd.app.clients import rest_of
from tradingd.app.doctor.check import Check, said
from tradingd.app.trading.brokers import alpaca_broker, check_account
from tradingd.config.broker import AlpacaBroker as AlpacaConfig
from tradingd.config.mode import BacktestMode
from tradingd.config.secrets import resolve
from tradingd.config.system import SystemConfig
from tradingd.domain.broker import BrokerClock
from tradingd.domain.broker_reports import BrokerAccount
from tradingd.kits.failure import Failure
from tradingd.session.calendar import SessionCalendar
from tradingd.vendors.alpaca.data import DataClient
from tradingd.vendors.alpaca.keys import resolved
from tradingd.vendors.alpaca.sessions import calendar_differences

AHEAD: Final = dt.timedelta(days=30)
_SHOWN: Final = 3


def alpaca(config: SystemConfig, today: dt.date) -> Iterator[Check]:
    """Ask Alpaca, where the configuration trades there; orders nothing."""
    if not isinstance(config.broker, AlpacaConfig) or isinstance(config.mode, BacktestMode):
        return
    try:
        account, drift = asyncio.run(_account(config, config.broker))
    except Failure as failure:
        yield Check(
            name="alpaca account",
            status="fail",
            detail=said(failure),
            next_step=failure.next_step or "check keys, host and mode",
            critical=True,
        )
        return
    yield Check(name="alpaca account", status="ok", detail=account.account_id, critical=True)
    yield _clock(drift, config.supervision.clock_drift_ms)
    yield _calendar(config, config.broker, today)


async def _account(config: SystemConfig, alpaca: AlpacaConfig) -> tuple[BrokerAccount, float]:
    """Return the account, and the seconds that our clock is ahead."""
    broker = alpaca_broker(config, alpaca, resolve)
    account = await broker.connect()
    try:
        check_account(config, account)
        assert isinstance(broker, BrokerClock)
        sent = time.time_ns()
        theirs = await broker.time()
        return account, ((sent + time.time_ns()) / 2 - theirs) / 1e9
    finally:
        await broker.close()


def _clock(drift: float, allowed_ms: float) -> Check:
    fine = abs(drift) * 1000 <= allowed_ms
    return Check(
        name="alpaca clock",
        status="ok" if fine else "warn",
        detail=f"ours is {drift * 1000:+.0f} ms ahead, {allowed_ms:g} ms are allowed",
        next_step="" if fine else "chronyc tracking",
    )


def _calendar(config: SystemConfig, alpaca: AlpacaConfig, today: dt.date) -> Check:
    keys = resolved(resolve, alpaca.key_id, alpaca.secret_key)
    rest = rest_of(config, alpaca)
    client = DataClient(keys, endpoint=alpaca.endpoint, trading=rest, where="alpaca calendar")
    calendar = SessionCalendar(config.session.calendar)
    try:
        found = calendar_differences(client, calendar, first=today, last=today + AHEAD)
    except Failure as failure:
        return Check(name="alpaca calendar", status="unknown", detail=failure.line())
    finally:
        client.close()
    if not found:
        return Check(name="alpaca calendar", status="ok", detail="the next 30 days agree")
    more = f" and {len(found) - _SHOWN} more days" if len(found) > _SHOWN else ""
    return Check(
        name="alpaca calendar",
        status="warn",
        detail="; ".join(found[:_SHOWN]) + more,
        next_step="update exchange_calendars, or wait for Alpaca",
    )
