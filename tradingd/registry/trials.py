"""Runs and trials: how many models were tried under a name is counted here, never stated.

One MLflow experiment a name; a trial is a run within a training's run. Deleted runs count, deleted
experiments come back, and the highest count that was ever seen is kept beside them, so that
`mlflow gc` makes no result look less lucky than it is.

A run states whose it is. Those of this machine whose process was killed are ended by whoever starts
the next one.
"""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from tradingd.kits.interrupts import uninterrupted
from tradingd.kits.owner import Owner, has_ended, this_host, this_process
from tradingd.registry.client import asking

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

TRIAL: Final = "tradingd.trial"
KIND: Final = "tradingd.kind"
SEEN: Final = "tradingd.trials_seen"
HOST: Final = "tradingd.host"
PROCESS: Final = "tradingd.process"
_PARENT: Final = "mlflow.parentRunId"
_PAGE: Final = 1_000
_LONGEST: Final = 500
"""Characters of a parameter."""


type Ending = Literal["FINISHED", "FAILED", "KILLED"]
"""KILLED: somebody called it off, or its process was killed."""


class RunHandle(msgspec.Struct, frozen=True, kw_only=True):
    """A run that goes on; `before` counts the trials of the name when it began."""

    name: str
    id: str
    experiment: str
    before: int


class Trials(msgspec.Struct, frozen=True, kw_only=True):
    """What was ever tried under a name: `sharpes` of the trials that have one, oldest first."""

    count: int
    sharpes: tuple[float, ...] = ()


class Ledger:
    """Runs of a store.

    Parameters
    ----------
    client : MlflowClient
    where : str
        What a person shall read as its place.
    artifacts : str
        URI of the folder for artifacts; empty: the server decides.
    """

    def __init__(self, client: "MlflowClient", where: str, artifacts: str) -> None:
        self._client = client
        self._where = where
        self._artifacts = artifacts

    def start(self, name: str, kind: str, tags: Mapping[str, str]) -> RunHandle:
        """Begin a run, after ending those of this machine whose process was killed."""
        with asking("start a run", self._where):
            self._end_abandoned()
            experiment = self._experiment(name)
            before = self.trials(name).count
            run = self._client.create_run(
                experiment, run_name=kind, tags={KIND: kind, **_owned(), **tags}
            )
        return RunHandle(name=name, id=run.info.run_id, experiment=experiment, before=before)

    def trial(
        self,
        run: RunHandle,
        *,
        number: int,
        parameters: Mapping[str, Any],
        score: float | None,
        sharpe: float | None,
        seconds: float = 0.0,
    ) -> None:
        """Record one model that was tried; what is not finite is left out.

        An interrupt waits for it: the trial was made.
        """
        from mlflow.entities import Param

        with uninterrupted(), asking("record a trial", self._where):
            made = self._client.create_run(
                run.experiment,
                run_name=f"trial {number}",
                tags={_PARENT: run.id, TRIAL: str(number), KIND: "trial", **_owned()},
            )
            stated = [Param(key, str(value)[:_LONGEST]) for key, value in parameters.items()]
            values = {"score": score, "sharpe": sharpe, "seconds": seconds}
            self._client.log_batch(made.info.run_id, metrics=_metrics(values), params=stated)
            self._client.set_terminated(made.info.run_id)

    def metrics(self, run: RunHandle, values: Mapping[str, float | None]) -> None:
        """Record numbers of a run; what is not finite is left out."""
        with asking("record metrics", self._where):
            self._client.log_batch(run.id, metrics=_metrics(values))

    def end(self, run: RunHandle, ending: Ending = "FINISHED") -> None:
        """End a run; an interrupt waits for it."""
        with uninterrupted(), asking("end a run", self._where):
            self._client.set_terminated(run.id, ending)
            self.trials(run.name)

    def trials(self, name: str) -> Trials:
        """Count every trial of a name, deleted ones too."""
        with asking("count trials", self._where):
            experiment = self._client.get_experiment_by_name(name)
            if experiment is None:
                return Trials(count=0)
            runs = list(self._runs(experiment.experiment_id))
            seen = int(experiment.tags.get(SEEN, "0"))
            if len(runs) > seen and experiment.lifecycle_stage == "active":
                self._client.set_experiment_tag(experiment.experiment_id, SEEN, str(len(runs)))
        sharpes = (one.data.metrics.get("sharpe") for one in runs)
        return Trials(
            count=max(len(runs), seen),
            sharpes=tuple(one for one in sharpes if one is not None),
        )

    def own(self, run: RunHandle) -> int:
        """Count the trials of one run."""
        with asking("count trials", self._where):
            return sum(1 for _ in self._runs(run.experiment, f" and tags.`{_PARENT}` = '{run.id}'"))

    def _end_abandoned(self) -> None:
        """End the runs of this machine that say they go on, and whose process has ended."""
        names = [one.experiment_id for one in self._client.search_experiments()]
        going = f"attributes.status = 'RUNNING' and tags.`{HOST}` = '{this_host()}'"
        for run in list(self._found(names, going)):
            if _abandoned(run.data.tags.get(PROCESS, "")):
                self._client.set_terminated(run.info.run_id, "KILLED")

    def _runs(self, experiment: str, further: str = "") -> Iterator["Run"]:
        return self._found([experiment], f"tags.`{KIND}` = 'trial'{further}")

    def _found(self, experiments: list[str], condition: str) -> Iterator["Run"]:
        from mlflow.entities import ViewType

        token = None
        while True:
            page = self._client.search_runs(
                experiments,
                filter_string=condition,
                run_view_type=ViewType.ALL,
                max_results=_PAGE,
                order_by=["attributes.start_time ASC", "attributes.run_id ASC"],
                page_token=token,
            )
            yield from page
            token = page.token
            if not token:
                return

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            location = f"{self._artifacts}/{name}" if self._artifacts else None
            return str(self._client.create_experiment(name, artifact_location=location))
        if found.lifecycle_stage != "active":
            # Trials that were thrown away were tried all the same.
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)


def _owned() -> dict[str, str]:
    """Return the tags that say whose a run is."""
    return {HOST: this_host(), PROCESS: msgspec.json.encode(this_process()).decode()}


def _abandoned(process: str) -> bool:
    try:
        return has_ended(msgspec.json.decode(process, type=Owner))
    except msgspec.MsgspecError:
        return False


def _metrics(values: Mapping[str, float | None]) -> list[Any]:
    from mlflow.entities import Metric

    return [
        Metric(key, float(value), 0, 0)
        for key, value in values.items()
        if value is not None and math.isfinite(value)
    ]
