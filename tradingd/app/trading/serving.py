"""The model of a session: read at the start or refused, exchanged as its alias moves."""

import asyncio
import datetime as dt
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tradingd.app.advisor import checked_bundle, model_manifest, require_model
from tradingd.app.modelling.sources import read_sectors, require_features
from tradingd.app.trading.market import reference
from tradingd.config.model import ModelFile, RegisteredModel
from tradingd.config.system import SystemConfig
from tradingd.domain.alerts import Alert, Emit, Severity
from tradingd.domain.feed import Feed
from tradingd.domain.market import Resolution
from tradingd.features.compile import compile_features
from tradingd.features.feature_set import FeatureSet
from tradingd.features.live import LiveFeatures
from tradingd.kits.failure import Failure
from tradingd.serving.advisor import ServedModel
from tradingd.serving.bundle import Bundle
from tradingd.session.calendar import SessionCalendar

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 15.0
"""How often the alias and the manifest are looked at."""

type _Version = tuple[str, int, int]


class SessionModel:
    """Who advises the strategies of a session; nothing here stops it.

    Parameters
    ----------
    config : SystemConfig
        Groups model, features, registry.
    feature_set, features : FeatureSet, LiveFeatures
        What rows are made of.
    now : Callable
        Session time, UTC ns: in a replay a model is as old as it was then.
    emit : Callable
        Takes alerts.
    """

    def __init__(
        self,
        config: SystemConfig,
        model: RegisteredModel | ModelFile,
        feature_set: FeatureSet,
        features: LiveFeatures,
        *,
        now: Callable[[], int],
        emit: Emit,
    ) -> None:
        self.name = model.name if isinstance(model, RegisteredModel) else Path(model.manifest).name
        self._config = config
        self._model = model
        self._feature_set = feature_set
        self._now = now
        self._emit = emit
        self._version: _Version | None = None
        self._failed = ""
        self.advisor = ServedModel(
            None,
            features,
            symbols=frozenset(features.symbols),
            memory=feature_set.memory,
            settings=model,
            why="not read yet",
            seed=config.seed,
        )

    async def look(self) -> None:
        """Serve what the configuration points to now, if that is another than before."""
        try:
            path = model_manifest(self._config, self._model)
            version = await asyncio.to_thread(_version, path)
            if version == self._version:
                return
            self._version = version
            bundle = await asyncio.to_thread(
                checked_bundle, path, self._feature_set, _aware(self._now())
            )
        except Failure as failure:
            self._refused(failure)
            return
        self._serve(bundle)

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    def failed(self, error: BaseException) -> None:
        """Take note that it is not asked any more: its first exception."""
        self._failed = f"{type(error).__name__}: {error}"
        log.error("the model failed and is not asked any more", exc_info=error)
        self._alert("the model failed and is not asked any more", self._failed)

    @property
    def warm_up_bars(self) -> int:
        """Bars of the past it wants at the start: of daily ones enough to measure drift at once.

        Of shorter ones that would be thousands; their drift is measured once the session has seen
        its days.
        """
        memory = self.advisor.memory
        daily = self._feature_set.bars == Resolution.DAY.value
        return memory + self._model.drift_sessions + 1 if daily else memory

    @property
    def state(self) -> tuple[str, str]:
        """The model, and why it has no opinion; empty when it has."""
        bundle = self.advisor.bundle
        if self._failed:
            return self.name, self._failed
        if bundle is None:
            return self.name, self.advisor.why
        if self._now() >= bundle.expires_ns:
            return bundle.id, f"expired {bundle.manifest.expires:%Y-%m-%d %H:%M} UTC"
        if (drifted := self.advisor.drifted()) is not None:
            return bundle.id, f"drifted: {drifted.told(self._model.drift_limit)}"
        return bundle.id, ""

    def _serve(self, bundle: Bundle) -> None:
        log.info("the model %s is served from the next bars on", bundle.id)
        self.advisor.serve(bundle)

    def _refused(self, failure: Failure) -> None:
        if failure.line() == self.advisor.why:
            return
        log.warning("no model is served: %s", failure.line())
        self.advisor.withdraw(failure.line())
        self._alert(f"no model is served: {failure.what}", failure.line())

    def _alert(self, title: str, body: str) -> None:
        self._emit(
            Alert(
                key="model",
                severity=Severity.WARN,
                title=title,
                body=body,
                next_step="tradingd model list; strategies do what use_model.when_abstaining says",
            )
        )


async def session_model(
    config: SystemConfig,
    feed: Feed,
    calendar: SessionCalendar,
    *,
    now: Callable[[], int],
    emit: Emit,
) -> SessionModel | None:
    """Return the session's model, None where none is configured.

    One that is refused is told and looked at again: the session goes on without it.

    Raises
    ------
    Failure
        CONFIG: a strategy asks and no model is configured, or the features are not understood.
    """
    require_model(config)
    model = config.model
    if not isinstance(model, RegisteredModel | ModelFile):
        return None
    require_features(config.features)
    symbols = [one.symbol for one in feed.instruments()]
    feature_set = compile_features(
        config.features,
        calendar=calendar,
        sectors=read_sectors(config.features.sectors),
        earnings=reference(config, symbols).earnings,
    )
    if feature_set.benchmark and feature_set.benchmark not in symbols:
        log.warning(
            "the feed has no bars of the benchmark %s: features that refer to it are missing",
            feature_set.benchmark,
        )
    features = LiveFeatures(feature_set, symbols)
    found = SessionModel(config, model, feature_set, features, now=now, emit=emit)
    await found.look()
    return found


def _version(path: Path) -> _Version:
    """Return what changes when another model is pointed to, or a manifest is replaced."""
    try:
        facts = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), facts.st_mtime_ns, facts.st_size


def _aware(ts: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ts / 1e9, tz=dt.UTC)
