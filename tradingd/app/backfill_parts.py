"""Parts of a backfill by the configuration: provider, mapping, trade log, limit."""

import importlib
import logging
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from tradingd.backfill.discovery import Discovery, discover
from tradingd.backfill.mapping import read_mapping
from tradingd.backfill.planning import Plan, Setting, plan
from tradingd.backfill.provider import BookProvider
from tradingd.backfill.recording import Progress
from tradingd.backfill.run import Options, Ran, priced, run
from tradingd.backfill.tasks import Filters, Task
from tradingd.backfill.tradelog.reading import Format
from tradingd.backfill.windows import check_window
from tradingd.config.backfill import BackfillConfig, DatabentoBooks, FolderBooks
from tradingd.config.paths import level2_root
from tradingd.config.system import SystemConfig
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar, local_date

log = logging.getLogger(__name__)

_PROVIDERS: Final[dict[type[Any], str]] = {
    DatabentoBooks: "tradingd.backfill.providers.databento:make",
    FolderBooks: "tradingd.backfill.providers.folder:make",
}


def provider_of(config: BackfillConfig) -> BookProvider:
    """Return the configured provider; nothing is asked yet."""
    module, _, name = _PROVIDERS[type(config.provider)].partition(":")
    provider: BookProvider = getattr(importlib.import_module(module), name)(config.provider, config)
    return provider


def setting_of(config: SystemConfig, provider: BookProvider, tasks: Sequence[Task] = ()) -> Setting:
    """Return what all tasks of a run share; reads the symbol mapping, and warns of what it lacks.

    Raises
    ------
    Failure
        CONFIG when the window lies outside the trading window; UNREADABLE_INPUT for the mapping.
    """
    backfill = config.backfill
    check_window(backfill)
    mapping = read_mapping(Path(backfill.mapping).expanduser() if backfill.mapping else None)
    if mapping.warning:
        log.warning("%s", mapping.warning)
    if unlisted := mapping.unlisted(one.symbol for one in tasks):
        names = ", ".join(unlisted[:10]) + (" ..." if len(unlisted) > 10 else "")
        log.warning("not in backfill.mapping, asked for as the log spells them: %s", names)
    return Setting(
        config=backfill,
        root=level2_root(config),
        tag=provider.name,
        origin=_origin(backfill),
        mapping=mapping,
        calendar=SessionCalendar(config.session.calendar),
    )


def limit_of(config: BackfillConfig) -> Decimal | None:
    """Return what a run may cost in USD; None where the provider has no prices."""
    one = config.provider
    return one.spending_limit if isinstance(one, DatabentoBooks) else None


def _origin(config: BackfillConfig) -> dict[str, str]:
    one = config.provider
    if isinstance(one, DatabentoBooks):
        lead = {"lead_minutes": str(one.lead_minutes)} if one.lead_minutes else {}
        return {"dataset": one.dataset, "schema": one.schema, **lead}
    return {}


def discovered(
    config: BackfillConfig,
    filters: Filters,
    *,
    log_path: str | Path | None = None,
    wall: Callable[[], int] = time.time_ns,
) -> Discovery:
    """Read the trade log.

    Raises
    ------
    Failure
        USAGE when no log is named; UNREADABLE_INPUT or CONFIG.
    """
    stated = log_path or config.log
    if not stated:
        raise Failure(
            "no trade log is named",
            code=ExitCode.USAGE,
            where="backfill.log",
            expected="an .xlsx or .csv file",
            next_step="tradingd backfill l2 --log trades.xlsx, or set backfill.log",
        )
    form = Format(columns=config.columns, sheet=config.sheet, day_first=config.day_first)
    return discover(Path(stated).expanduser(), form, filters, today=local_date(wall()))


def require_enabled(config: BackfillConfig) -> None:
    """Refuse while backfills are off.

    Raises
    ------
    Failure
        CONFIG.
    """
    if not config.enabled:
        raise Failure(
            "backfills are off: nothing was fetched",
            code=ExitCode.CONFIG,
            where="backfill.enabled",
            expected="true",
            found="false",
            next_step="add backfill.enabled=true; --dry-run shows what would be fetched",
        )


def planned(
    config: SystemConfig,
    tasks: Sequence[Task],
    *,
    force: bool,
    ask: bool,
    wall: Callable[[], int] = time.time_ns,
) -> tuple[Plan, Decimal | None]:
    """Return what a run would do, and its price where the provider may be asked."""
    provider = provider_of(config.backfill)
    setting = setting_of(config, provider, tasks)
    what = plan(tasks, setting, force=force, now=wall())
    return priced(what, provider) if ask else (what, None)


def executed(
    config: SystemConfig,
    tasks: Sequence[Task],
    options: Options,
    *,
    progress: Progress = lambda _done, _all, _label: None,
    wall: Callable[[], int] = time.time_ns,
) -> Ran:
    """Run tasks with the configured provider.

    Raises
    ------
    Failure
        CONFIG while backfills are off, SPENDING above the limit, SOURCE, UNREADABLE_INPUT.
    """
    require_enabled(config.backfill)
    provider = provider_of(config.backfill)
    setting = setting_of(config, provider, tasks)
    limited = msgspec.structs.replace(options, limit=limit_of(config.backfill))
    return run(tasks, setting, provider, limited, progress=progress, wall=wall)
