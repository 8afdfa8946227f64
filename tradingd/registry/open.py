"""Open the registry that a configuration names; connecting waits until something is asked."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradingd.config.paths import data_home
from tradingd.config.registry import RegistryConfig
from tradingd.config.secrets import Secret
from tradingd.domain.manifest import ModelManifest
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.interrupts import uninterrupted
from tradingd.kits.nearest import nearest
from tradingd.registry import promotion
from tradingd.registry.client import connect, locked
from tradingd.registry.gates import Judge
from tradingd.registry.promotion import PRODUCTION, Decision, Promotion
from tradingd.registry.trials import Ledger, RunHandle, Trials
from tradingd.registry.versions import Entry, Versions

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient


def registry_root(config: RegistryConfig) -> Path:
    """Return the registry's folder."""
    stated = Path(config.root).expanduser() if config.root else data_home() / "registry"
    return stated.absolute()


def open_registry(config: RegistryConfig, *, token: Secret | None = None) -> "Registry":
    """Return the registry of a configuration; nothing is opened before it is asked something."""
    return Registry(registry_root(config), config.tracking, token)


class Registry:
    """Models, manifests and trials.

    Parameters
    ----------
    root : Path
        Folder of published models and, without `tracking`, of the store.
    tracking : str
        MLflow tracking URI; empty: SQLite in `root`.
    token : Secret, optional
        For the server.
    """

    def __init__(self, root: Path, tracking: str = "", token: Secret | None = None) -> None:
        self.root = root
        self.tracking = tracking
        self._token = token

    @property
    def where(self) -> str:
        """Return the place that a person shall read."""
        return self.tracking or str(self.root)

    # -- runs and trials --------------------------------------------------------------------------

    def start_run(
        self, name: str, kind: str = "training", tags: Mapping[str, str] | None = None
    ) -> RunHandle:
        """Begin a run under a model's name.

        Raises
        ------
        Failure
            REGISTRY, STORE_WRITE or STORE_LOCKED when the store cannot be used.
        """
        with self._held():
            return self._ledger.start(name, kind, tags or {})

    @contextmanager
    def run(
        self, name: str, kind: str = "training", tags: Mapping[str, str] | None = None
    ) -> Iterator[RunHandle]:
        """Begin a run, and end it with the block: failed when that raises, killed by a signal."""
        handle = None
        try:
            # Nobody could end a run that was begun and not yet named.
            with uninterrupted():
                handle = self.start_run(name, kind, tags)
            yield handle
        except BaseException as error:
            if handle is not None:
                self._ledger.end(handle, "FAILED" if isinstance(error, Exception) else "KILLED")
            raise
        self._ledger.end(handle)

    def log_trial(
        self,
        run: RunHandle,
        *,
        number: int,
        parameters: Mapping[str, Any],
        score: float | None,
        sharpe: float | None,
        seconds: float = 0.0,
    ) -> None:
        """Record one model that was tried; `sharpe` is per session. Some 20 ms on SQLite."""
        self._ledger.trial(
            run, number=number, parameters=parameters, score=score, sharpe=sharpe, seconds=seconds
        )

    def log_metrics(self, run: RunHandle, values: Mapping[str, float | None]) -> None:
        """Record numbers of a run."""
        self._ledger.metrics(run, values)

    def end_run(self, run: RunHandle, *, failed: bool = False) -> None:
        """End a run."""
        self._ledger.end(run, "FAILED" if failed else "FINISHED")

    def trials(self, name: str) -> Trials:
        """Count every trial ever recorded under a name, deleted ones too; of other names none."""
        return self._ledger.trials(name)

    # -- versions ---------------------------------------------------------------------------------

    def register(self, run: RunHandle, folder: Path, manifest: ModelManifest) -> int:
        """Keep a model as a candidate, and return its version.

        Parameters
        ----------
        folder : Path
            Of the files that the manifest names; others are left where they are.
        manifest : ModelManifest
            Accepted by its contract; `version`, `status` and `production` are set here.

        Raises
        ------
        Failure
            CONTRACT when a file is not what the manifest says, or the manifest states fewer trials
            than were recorded by the time of its run.
        """
        self._require_honesty(run, manifest)
        with self._held():
            version = self._versions.register(run, folder, manifest)
            self._versions.get(run.name, version)
        self._ledger.metrics(run, manifest.metrics)
        return version

    def names(self) -> list[str]:
        """Return the names of all models."""
        return self._versions.names()

    def aliases(self, name: str) -> dict[str, int]:
        """Return where each alias of a name points, and bring this machine's folder up to it.

        With a tracking server this is how a machine learns what others promoted.
        """
        return self._versions.publish(name)

    def entries(self, name: str) -> Iterator[Entry | Failure]:
        """Yield every version of a name, oldest first; a failure for one that is damaged."""
        return self._versions.entries(name)

    def get(self, name: str, which: str | int = "") -> Entry:
        """Return a version, by its number or alias, whole and published to this machine's folder.

        Without either: the one in production, else the latest.

        Raises
        ------
        Failure
            REGISTRY when there is none; CONTRACT when its files are damaged.
        """
        return self._versions.get(name, self.number(name, which))

    def number(self, name: str, which: str | int = "") -> int:
        """Return the number of a version; see `get`."""
        if isinstance(which, int) or which.isdecimal():
            return int(which)
        self._require_name(name)
        pointed = self._versions.aliases(name)
        if which:
            if which not in pointed:
                raise _no_alias(name, which, pointed)
            return pointed[which]
        if PRODUCTION in pointed:
            return pointed[PRODUCTION]
        numbers = self._versions.numbers(name)
        if not numbers:
            raise _unknown(name, [])
        return numbers[-1]

    # -- what decides -----------------------------------------------------------------------------

    def promote(
        self,
        name: str,
        version: int,
        *,
        decision: Decision,
        judge: Judge,
        alias: str = PRODUCTION,
        dry_run: bool = False,
    ) -> Promotion:
        """Let an alias point to a version, if `judge` passes it; one promotion at a time.

        Raises
        ------
        Failure
            CONTRACT or REGISTRY, as of `promotion.promote`.
        """
        with self._held():
            return promotion.promote(
                self._versions,
                name,
                version,
                alias=alias,
                decision=decision,
                judge=judge,
                dry_run=dry_run,
            )

    def rollback(
        self, name: str, *, decision: Decision, judge: Judge, alias: str = PRODUCTION
    ) -> Promotion:
        """Put the version back that was promoted before; see `promotion.rollback`."""
        with self._held():
            return promotion.rollback(
                self._versions, name, alias=alias, decision=decision, judge=judge
            )

    def challenge(self, name: str, version: int, *, at: dt.datetime) -> Entry:
        """Let a version predict in the shadow of the one in production."""
        with self._held():
            return promotion.challenge(self._versions, name, version, at=at)

    def expire(self, name: str, version: int, *, at: dt.datetime) -> Entry:
        """End a version's time; `at` is aware."""
        with self._held():
            return promotion.expire(self._versions, name, version, at=at)

    # -- parts ------------------------------------------------------------------------------------

    @contextmanager
    def _held(self) -> Iterator[None]:
        # Connecting takes the lock itself.
        _ = self._client
        with locked(self.root):
            yield

    @cached_property
    def _client(self) -> "MlflowClient":
        return connect(self.root, self.tracking, self._token)

    @cached_property
    def _ledger(self) -> Ledger:
        local = "" if self.tracking else (self.root / "artifacts").as_uri()
        return Ledger(self._client, self.where, local)

    @cached_property
    def _versions(self) -> Versions:
        return Versions(self._client, self.where, self.root)

    def _require_name(self, name: str) -> None:
        names = self._versions.names()
        if name not in names:
            raise _unknown(name, names)

    def _require_honesty(self, run: RunHandle, manifest: ModelManifest) -> None:
        """Refuse a manifest that states fewer trials than its run could count."""
        if manifest.name != run.name:
            raise _dishonest(run.name, f"the name {run.name}", manifest.name)
        if manifest.origin is not None and manifest.origin.imported is not None:
            # What a stranger tried is known to the stranger alone.
            return
        counted = run.before + self._ledger.own(run)
        stated = manifest.validation.trials or 0
        if stated < counted:
            raise _dishonest(
                run.name,
                f"validation.trials: at least the {counted} that the registry counted",
                str(stated),
            )


def _dishonest(where: str, expected: str, found: str) -> Failure:
    return Failure(
        "a manifest says something else than the registry knows",
        code=ExitCode.CONTRACT,
        where=where,
        expected=expected,
        found=found,
        next_step="deflate by Registry.trials(name), asked after the last trial",
    )


def _unknown(name: str, names: list[str]) -> Failure:
    guess = nearest(name, names)
    return Failure(
        "the registry has no such model",
        code=ExitCode.REGISTRY,
        where=name,
        expected=f"a name such as {guess}" if guess else ", ".join(names[:5]) or "a trained model",
        found="none of that name",
        next_step="tradingd model list",
    )


def _no_alias(name: str, alias: str, pointed: Mapping[str, int]) -> Failure:
    known = ", ".join(f"{one} ({version})" for one, version in sorted(pointed.items()))
    return Failure(
        "the model has no such alias",
        code=ExitCode.REGISTRY,
        where=f"{name}@{alias}",
        expected=known or "a version's number: nothing was promoted yet",
        found="none",
        next_step=f"tradingd model list --name {name}",
    )
