"""Read the configuration again: the safe subset changes at once, anything else changes nothing.

Earnings, borrowable shares and the universe's members are read again with it: a reload before the
open is how a session that runs on takes the files of the day. Where the registry points to another
model by now, that one is served from the next bars on.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from tradingd.config.load import Loaded
from tradingd.daemon.jobs import session_jobs
from tradingd.daemon.reload import Plan, plan

if TYPE_CHECKING:
    from tradingd.app.trading.session import TradingSession

from tradingd.app.trading.market import reference
from tradingd.app.trading.work import session_work


class Reloader:
    """Reloads the configuration of a session.

    Parameters
    ----------
    session : TradingSession
        Whose parts take the changes.
    load_again : Callable
        Composes and decodes the configuration anew.
    """

    def __init__(self, session: "TradingSession", load_again: Callable[[], Loaded]) -> None:
        self._session = session
        self._load = load_again

    async def reload(self) -> tuple[tuple[str, str, str], ...]:
        """Apply what changed; return (key, old, new).

        Raises
        ------
        Failure
            CONFIG, with the running configuration untouched.
        """
        session = self._session
        session.reloading()
        try:
            loaded = self._load()
            planned = plan(session.loaded, loaded)
            # Read before anything changes: it may refuse, for a universe not made yet.
            facts = reference(loaded.config, session.symbols, session.watched)
            self._apply(planned)
            session.gate.set_reference(facts)
            session.use(loaded)
            session.arming_desk.config_changed(loaded.hash)
            models = await self._models()
        finally:
            session.reloaded()
        keys = tuple((one.key, _text(one.old), _text(one.new)) for one in planned.changes)
        return keys + models

    async def _models(self) -> tuple[tuple[str, str, str], ...]:
        """Look where the registry points now; return what was exchanged, as keys are."""
        serving = self._session.serving
        if serving is None:
            return ()
        before = serving.models
        await serving.look()
        after = serving.models
        return tuple(
            (f"model.{role}", before[role], after[role])
            for role in before
            if before[role] != after[role]
        )

    def _apply(self, planned: Plan) -> None:
        config, session = planned.config, self._session
        if "alerts" in planned.groups:
            # First: it is the one that may refuse, for a route that cannot be resolved.
            session.alerts.reconfigure(config.alerts)
        if "risk" in planned.groups:
            session.limits.configure(config.risk)
        if "schedule" in planned.groups:
            jobs = session_jobs(config.schedule, session_work(session))
            session.scheduler.replace(jobs, grace_minutes=config.schedule.grace_minutes)
        if "telemetry" in planned.groups:
            session.set_level(config.telemetry.log_level)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
