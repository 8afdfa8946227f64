"""The model of a session: read at the start or refused, exchanged as its alias moves."""

import asyncio
import datetime as dt
import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from tradingd.app.advisor import checked_bundle, model_manifest, require_model
from tradingd.app.model_universe import other_universe
from tradingd.app.modelling.sources import read_sectors, require_features
from tradingd.app.trading.challenging import Challenging, Version, version_of
from tradingd.app.trading.market import reference
from tradingd.config.model import ModelFile, RegisteredModel
from tradingd.config.system import SystemConfig
from tradingd.domain.advice import Advice
from tradingd.domain.alerts import Alert, Emit, Severity
from tradingd.domain.feed import Feed
from tradingd.domain.market import Resolution
from tradingd.features.compile import compile_features
from tradingd.features.feature_set import FeatureSet
from tradingd.features.live import LiveFeatures
from tradingd.features.series import Floats
from tradingd.kits.failure import ExitCode, Failure
from tradingd.serving.advisor import ServedModel
from tradingd.serving.bundle import OtherFeatures
from tradingd.serving.prediction_log import FOLDER, PredictionLog
from tradingd.serving.shadow import CHAMPION, Shadow
from tradingd.session.calendar import SessionCalendar
from tradingd.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 15.0
"""How often the alias and the manifest are looked at."""

_STOP_SECONDS: Final = 30.0
_LATEST: Final = 1_000


class SessionModel:
    """Who advises the strategies of a session; nothing here stops it.

    Parameters
    ----------
    config : SystemConfig
        Groups model, features, registry.
    feature_set, features : FeatureSet, LiveFeatures
        What rows are made of.
    watched : set of str
        Symbols of `features` that are not traded: they are compared as in training, nobody is
        advised on them.
    folder : Path
        State folder of the instance: predictions are recorded below it.
    now, wall : Callable
        Session time, in a replay a model is as old as it was then, and time of day; UTC ns.
    emit : Callable
        Takes alerts.

    Attributes
    ----------
    since : int
        Session time from which the model in force is served, UTC ns; 0: none is.
    kept : str
        Why the model in force is not the one that the configuration points to; empty when it is.
    """

    def __init__(
        self,
        config: SystemConfig,
        model: RegisteredModel | ModelFile,
        feature_set: FeatureSet,
        features: LiveFeatures,
        *,
        folder: Path,
        now: Callable[[], int],
        wall: Callable[[], int],
        emit: Emit,
        watched: frozenset[str] = frozenset(),
    ) -> None:
        self.settings = model
        self.name = _named(model)
        self.since = 0
        self.kept = ""
        self.watched = watched
        self.folder = folder / FOLDER
        self._config = config
        self._feature_set = feature_set
        self._symbols = frozenset(features.symbols) - watched
        self._now = now
        self._wall = wall
        self._emit = emit
        self._version: Version | None = None
        self._failed = ""
        self._metrics: Metrics | None = None
        self._latest: deque[int] = deque(maxlen=_LATEST)
        records = PredictionLog(
            self.folder, feature_set.names, feature_set.hash, keep_days=model.record_days
        )
        self.shadow = Shadow(records, counted=self._counted)
        self._challenging = Challenging(config, model, feature_set, self.shadow)
        self.advisor = ServedModel(
            None,
            features,
            symbols=self._symbols,
            memory=feature_set.memory,
            settings=model,
            why="not read yet",
            told=self._told,
            seed=config.seed,
        )

    # -- who is served ---------------------------------------------------------------------------

    async def look(self) -> None:
        """Serve what the configuration points to now, if that is another than before."""
        try:
            path = model_manifest(self._config, self.settings)
            await self._exchange(path, await asyncio.to_thread(version_of, path))
        except OtherFeatures as failure:
            self._keep(failure)
        except Failure as failure:
            self._refused(failure)
        if self.settings.record_days:
            await self._challenging.look(self.advisor.coming, self._aware())

    async def _exchange(self, path: Path, version: Version) -> None:
        """Serve another version; one that was refused is not read again until it changes."""
        if version == self._version:
            return
        self._version = version
        now = self._aware()
        bundle = await asyncio.to_thread(checked_bundle, path, self._feature_set, now)
        log.info("the model %s is served from the next bars on", bundle.id)
        if other := other_universe(bundle.manifest, self._feature_set, self._symbols):
            log.warning("%s", other)
        self.since = self._now()
        self.kept = ""
        self.advisor.serve(bundle)

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    def begin(self) -> None:
        """Record predictions from now on: those of the warm-up are of days it may have seen."""
        if self.settings.record_days:
            self.shadow.start()

    async def close(self) -> str:
        """Write what was predicted; return what did not go well."""
        done = await asyncio.to_thread(self.shadow.stop, _STOP_SECONDS)
        return self.shadow.trouble if done else "predictions wait for the disk"

    def failed(self, error: BaseException) -> None:
        """Take note that it is not asked any more: its first exception."""
        self._failed = f"{type(error).__name__}: {error}"
        log.error("the model failed and is not asked any more", exc_info=error)
        self._alert("the model failed and is not asked any more", self._failed)

    def _keep(self, failure: OtherFeatures) -> None:
        """Go on with the model in force, where there is one: it has what it needs.

        What the feed brings and what the features remember is fixed at the start, so another
        benchmark or other features begin with another session.
        """
        serving = self.advisor.coming
        if serving is None:
            self._refused(failure)
            return
        benchmark = self._feature_set.benchmark
        kept = Failure(
            f"{failure.what}: {serving.id} goes on",
            code=failure.code,
            where=failure.where,
            expected=f"{failure.expected}, benchmark {benchmark or 'none'}, as at the start",
            found=failure.found,
            next_step="start the session anew with the features and the features.benchmark of "
            "that model, or point the alias back",
        )
        self.kept = kept.line()
        log.warning("the model is not exchanged: %s", self.kept)
        self._alert(f"the model is not exchanged: {kept.what}", self.kept)

    def _refused(self, failure: Failure) -> None:
        if failure.code is ExitCode.NO_DATA:
            # The alias is gone; when it comes back, to the same version even, that one is served.
            self._version = None
        if failure.line() == self.advisor.why:
            return
        log.warning("no model is served: %s", failure.line())
        self.since = 0
        self.kept = ""
        self.advisor.withdraw(failure.line())
        self._alert(f"no model is served: {failure.what}", failure.line())

    def _alert(self, title: str, body: str) -> None:
        self._emit(
            Alert(
                key="model",
                severity=Severity.WARN,
                title=title,
                body=body,
                next_step="tradingctl model; strategies do what use_model.when_abstaining says",
            )
        )

    # -- what it says ----------------------------------------------------------------------------

    @property
    def warm_up_bars(self) -> int:
        """Bars of the past it wants at the start: of daily ones enough to measure drift at once.

        Of shorter ones that would be thousands; their drift is measured once the session has seen
        its days.
        """
        memory = self.advisor.memory
        daily = self._feature_set.bars == Resolution.DAY.value
        return memory + self.settings.drift_sessions + 1 if daily else memory

    @property
    def state(self) -> tuple[str, str]:
        """The model, and why it has no opinion; empty when it has."""
        bundle = self.advisor.coming
        if self._failed:
            return self.name, self._failed
        if bundle is None:
            return self.name, self.advisor.why
        if self._now() >= bundle.expires_ns:
            return bundle.id, f"expired {bundle.manifest.expires:%Y-%m-%d %H:%M} UTC"
        if (drifted := self.advisor.drifted()) is not None:
            return bundle.id, f"drifted: {drifted.told(self.settings.drift_limit)}"
        return bundle.id, ""

    @property
    def models(self) -> dict[str, str]:
        """Role -> ``name@version``; ``none`` where there is none."""
        roles = {"champion": self.advisor.coming, "challenger": self.shadow.challenger}
        return {role: "none" if one is None else one.id for role, one in roles.items()}

    @property
    def line(self) -> str:
        """Return a few words for the status line."""
        model, why = self.state
        return f"model {model} abstains" if why else f"model {model}"

    @property
    def slowest_us(self) -> float | None:
        """99th percentile of the latest answers, microseconds; None before the first."""
        return float(np.percentile(self._latest, 99)) / 1_000 if self._latest else None

    # -- metrics ---------------------------------------------------------------------------------

    def count_in(self, metrics: Metrics) -> None:
        """Count answers there from now on."""
        self._metrics = metrics

    def measure(self, metrics: Metrics) -> None:
        """Put the present numbers into the metrics."""
        bundles = {"champion": self.advisor.coming, "challenger": self.shadow.challenger}
        # A replay's expiry as far from now as it is from the session's time.
        ahead = self._wall() - self._now()
        metrics.models(
            {
                role: (one.id, one.expires_ns + ahead)
                for role, one in bundles.items()
                if one is not None
            }
        )
        drift, limit = self.advisor.drift, self.settings.drift_limit
        if drift is None:
            metrics.model_drift(0.0, limit)
        else:
            metrics.model_drift(drift.index, max(limit, drift.chance))
        metrics.predictions_recorded(written=self.shadow.written, lost=self.shadow.lost)

    def _told(self, advice: Advice, row: Floats | None, nanoseconds: int) -> None:
        self.shadow.take(advice, row, nanoseconds)
        if advice.abstention is None:
            self._latest.append(nanoseconds)
        if self._metrics is None:
            return
        if advice.abstention is None:
            self._metrics.prediction(CHAMPION, nanoseconds / 1e9)
        else:
            self._metrics.abstention(advice.abstention.value)

    def _counted(self, role: str, seconds: float) -> None:
        if self._metrics is not None:
            self._metrics.prediction(role, seconds)

    def _aware(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self._now() / 1e9, tz=dt.UTC)


async def session_model(
    config: SystemConfig,
    feed: Feed,
    calendar: SessionCalendar,
    *,
    watched: frozenset[str] = frozenset(),
    folder: Path,
    now: Callable[[], int],
    wall: Callable[[], int],
    emit: Emit,
) -> SessionModel | None:
    """Return the session's model, None where none is configured.

    Features across symbols compare the traded symbols and the watched benchmark, as in training.
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
        earnings=reference(config, sorted(set(symbols) - watched)).earnings,
    )
    if feature_set.benchmark and feature_set.benchmark not in symbols:
        log.warning(
            "the feed has no bars of the benchmark %s: features that refer to it are missing",
            feature_set.benchmark,
        )
    elif watched:
        log.info("watched for the features of the model, not traded: %s", ", ".join(watched))
    features = LiveFeatures(feature_set, symbols)
    found = SessionModel(
        config,
        model,
        feature_set,
        features,
        folder=folder,
        now=now,
        wall=wall,
        emit=emit,
        watched=watched,
    )
    await found.look()
    return found


def _named(model: RegisteredModel | ModelFile) -> str:
    if isinstance(model, RegisteredModel):
        return f"{model.name}@{model.alias}"
    return Path(model.manifest).name
