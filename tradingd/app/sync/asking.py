"""Ask sources for ranges; put aside one that cannot be used, or that is down again and again."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, Protocol, runtime_checkable

import msgspec
import pyarrow as pa

from tradingd.app.sync.plan import Missing
from tradingd.app.sync.verdict import Offer
from tradingd.config.source import RemoteSourceConfig
from tradingd.domain.market import CorporateAction, Resolution
from tradingd.domain.ports import Source
from tradingd.history.schema import BARS
from tradingd.kits.failure import ExitCode, Failure
from tradingd.sources.make import make_source

PATIENCE: Final = 2
"""Ranges in a row that a source may leave unanswered before it is not asked any more."""

_FAILED: Final = {
    ExitCode.SOURCE: "failed",
    ExitCode.FEED: "failed",
    ExitCode.BROKER: "failed",
    ExitCode.UNKNOWN_SYMBOL: "unknown",
    ExitCode.UNREADABLE_INPUT: "failed",
    ExitCode.INVALID_ROW: "invalid",
    ExitCode.EMPTY_RANGE: "",
    ExitCode.NO_DATA: "",
}

_UNUSABLE: Final = (ExitCode.CONFIG, ExitCode.INSTALL)


@runtime_checkable
class Narrowable(Protocol):
    """A source that keeps its connection and allowances while it is asked for another range."""

    def narrowed(
        self, symbols: Sequence[str], resolution: Resolution, first: dt.date, last: dt.date
    ) -> Source:
        """Return the same source, asked for something else."""
        ...


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a source says of splits and dividends: None when it cannot tell.

    `failed`: it could have told, but did not answer.
    """

    actions: tuple[CorporateAction, ...] | None = None
    failed: bool = False


class Asked:
    """One configured source, over many ranges.

    Parameters
    ----------
    config : RemoteSourceConfig
        Its symbols, days and resolution are set anew for every range.
    """

    def __init__(self, config: RemoteSourceConfig) -> None:
        self._config = config
        self._source: Source = make_source(config)
        self._silent = 0
        self.aside: Failure | None = None
        self._last = ""

    @property
    def name(self) -> str:
        """Short name of the source."""
        return self._source.name

    @property
    def unusable(self) -> bool:
        """Whether its configuration or its package keeps it from being asked at all."""
        return self.aside is not None and self.aside.code in _UNUSABLE

    def bars(self, wanted: Missing, resolution: Resolution) -> Offer:
        """Return its rows for a range, or why there are none."""
        if self.aside is not None:
            return Offer(source=self.name, failed=self._word(), why=self._why(self.aside))
        try:
            source = self._narrowed(wanted, resolution)
            tables = [table for task in source.tasks() for _, table in task.load()]
        except Failure as failure:
            return self._failed(failure, wanted.symbol)
        self._silent = 0
        rows = pa.concat_tables(tables) if tables else BARS.empty_table()
        return Offer(source=self.name, rows=rows)

    def actions(self, wanted: Missing, resolution: Resolution) -> "Told":
        """Return splits and dividends of a range, or that it cannot tell."""
        if not getattr(self._source, "knows_actions", True):
            return Told()
        if self.aside is not None:
            return Told(failed=not self.unusable)
        try:
            return Told(actions=tuple(self._narrowed(wanted, resolution).actions()))
        except Failure as failure:
            return Told(failed=self._failed(failure, wanted.symbol).failed == "failed")

    def _narrowed(self, wanted: Missing, resolution: Resolution) -> Source:
        first, last = wanted.sessions[0].day, wanted.sessions[-1].day
        source: Any = self._source
        if isinstance(source, Narrowable):
            return source.narrowed([wanted.symbol], resolution, first, last)
        config = msgspec.structs.replace(
            self._config,
            symbols=(wanted.symbol,),
            resolution=str(resolution),
            start=first,
            end=last,
        )
        return make_source(config)

    def _failed(self, failure: Failure, symbol: str) -> Offer:
        """Sort a failure; what no source can cause (a full disk) goes up."""
        if failure.code in _UNUSABLE:
            self.aside = failure
        elif failure.code not in _FAILED:
            raise failure
        word = self._word() if self.aside else _FAILED[failure.code]
        if word == "failed":
            self._silent += 1
            if self._silent >= PATIENCE:
                self.aside, self._last = failure, symbol
        else:
            self._silent = 0
        return Offer(source=self.name, failed=word, why=_short(failure, self.name) if word else "")

    def _word(self) -> str:
        return "unusable" if self.unusable else "failed"

    def _why(self, aside: Failure) -> str:
        """Return why a range was not asked for; what happened happened to the symbol it names."""
        why = _short(aside, self.name)
        if self.unusable:
            return why
        return f"not asked after {PATIENCE} without an answer, the last for {self._last}: {why}"


def _short(failure: Failure, source: str) -> str:
    """Return what happened without where: the range and the source are named beside it."""
    found = f" ({failure.found})" if failure.found else ""
    return f"{failure.what.removeprefix(f'{source} ')}{found}"
