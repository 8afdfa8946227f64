"""Keeps the challenger that the registry names predicting in the champion's shadow."""

import asyncio
import datetime as dt
import logging
from pathlib import Path
from typing import Final

from tradingd.app.advisor import checked_bundle
from tradingd.config.model import ModelFile, RegisteredModel
from tradingd.config.paths import registry_root
from tradingd.config.system import SystemConfig
from tradingd.features.feature_set import FeatureSet
from tradingd.kits.failure import Failure
from tradingd.registry.published import current
from tradingd.serving.bundle import Bundle
from tradingd.serving.shadow import Shadow

log = logging.getLogger(__name__)

ALIAS: Final = "challenger"

type Version = tuple[str, int, int]


class Challenging:
    """Looks at the alias ``challenger`` of the configured model.

    Parameters
    ----------
    config : SystemConfig
        Group registry.
    model : RegisteredModel or ModelFile
        A file has no challenger.
    feature_set : FeatureSet
        What rows are made of: a challenger must have been trained on the same features.
    shadow : Shadow
        Who lets it predict.
    """

    def __init__(
        self,
        config: SystemConfig,
        model: RegisteredModel | ModelFile,
        feature_set: FeatureSet,
        shadow: Shadow,
    ) -> None:
        self._config = config
        self._model = model
        self._feature_set = feature_set
        self._shadow = shadow
        self._version: Version | None = None

    async def look(self, champion: Bundle | None, now: dt.datetime) -> None:
        """Let whom the alias names predict, if that is another than before, or nobody.

        One that cannot be served is told and left out; the champion is not affected.
        """
        if not isinstance(self._model, RegisteredModel) or not self._model.challenger:
            return
        try:
            path = current(registry_root(self._config), self._model.name, ALIAS)
            version = None if path is None else await asyncio.to_thread(version_of, path)
            if version != self._version:
                self._version = version
                await self._exchange(path, now)
        except Failure as failure:
            self._end(failure.line())
        named = self._shadow.challenger
        if named is not None and champion is not None and named.id == champion.id:
            self._end(f"{named.id} is the champion")

    async def _exchange(self, path: Path | None, now: dt.datetime) -> None:
        if path is None:
            self._end("")
            return
        found = await asyncio.to_thread(checked_bundle, path, self._feature_set, now)
        log.info("the challenger %s predicts beside the champion", found.id)
        self._shadow.challenge(found)

    def _end(self, why: str) -> None:
        if why and why != self._shadow.refused:
            log.warning("no challenger predicts: %s", why)
        self._shadow.challenge(None, why)


def version_of(path: Path) -> Version:
    """Return what changes when another model is pointed to, or a manifest is replaced."""
    try:
        facts = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), facts.st_mtime_ns, facts.st_size
