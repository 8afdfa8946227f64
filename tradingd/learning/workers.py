"""Folds side by side: in this process, in processes of this machine (joblib's loky), or on Ray.

Whoever runs them, each fold is a pure function of the workload and its job: the answers are the
same to the bit, and come in the order they were asked for.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

from tradingd.kits.raysignals import own_sigterm
from tradingd.kits.scratch import scratch
from tradingd.learning.workload import Job, Workload, read_workload, write_workload

type Launcher = Literal["joblib", "ray"]


class Workers(Protocol):
    """Does jobs of one workload."""

    def run[T](self, work: Callable[[Workload, Job], T], jobs: Sequence[Job]) -> Iterator[T]:
        """Yield the answers in the order of the jobs, each as soon as it and those before are."""
        ...


@contextmanager
def workers_of(workload: Workload, *, workers: int, launcher: Launcher) -> Iterator[Workers]:
    """Open workers that share a workload.

    Parameters
    ----------
    workload : Workload
    workers : int
        Jobs at once; 1 with joblib: in this process.
    launcher : {"joblib", "ray"}
        ray: the cluster of the RAY_ADDRESS variable, or else one of this machine alone that is
        stopped afterwards.
    """
    if launcher == "ray":
        with _on_ray(workload, workers) as pool:
            yield pool
    elif workers == 1:
        yield _Here(workload)
    else:
        with _in_processes(workload, workers) as pool:
            yield pool


class _Here:
    def __init__(self, workload: Workload) -> None:
        self._workload = workload

    def run[T](self, work: Callable[[Workload, Job], T], jobs: Sequence[Job]) -> Iterator[T]:
        return (work(self._workload, job) for job in jobs)


class _Processes:
    def __init__(self, parallel: Any, folder: Path) -> None:
        self._parallel = parallel
        self._folder = folder

    def run[T](self, work: Callable[[Workload, Job], T], jobs: Sequence[Job]) -> Iterator[T]:
        from joblib import delayed

        answers: Iterator[T] = self._parallel(
            delayed(_mapped)(work, self._folder, job) for job in jobs
        )
        return answers


@contextmanager
def _in_processes(workload: Workload, workers: int) -> Iterator[Workers]:
    from joblib import Parallel
    from joblib.externals.loky import get_reusable_executor

    with scratch("learning") as folder:
        write_workload(folder, workload)
        parallel = Parallel(
            n_jobs=workers, backend="loky", return_as="generator", batch_size=1, max_nbytes=None
        )
        try:
            yield _Processes(parallel, folder)
        except BaseException:
            # Nobody waits for the folds they are at.
            get_reusable_executor().shutdown(wait=True, kill_workers=True)
            raise
        # Idle workers would stay for five minutes, with all they imported.
        get_reusable_executor().shutdown(wait=True)


def _mapped[T](work: Callable[[Workload, Job], T], folder: Path, job: Job) -> T:
    return work(read_workload(folder), job)


class _Ray:
    def __init__(self, shared: Any) -> None:
        self._shared = shared

    def run[T](self, work: Callable[[Workload, Job], T], jobs: Sequence[Job]) -> Iterator[T]:
        import ray

        remote = ray.remote(num_cpus=1)(work)
        pending = [remote.remote(self._shared, job) for job in jobs]
        return (ray.get(one) for one in pending)


@contextmanager
def _on_ray(workload: Workload, workers: int) -> Iterator[Workers]:
    import ray

    cluster = os.environ.get("RAY_ADDRESS")
    here: dict[str, Any] = {} if cluster else {"num_cpus": workers, "include_dashboard": False}
    with own_sigterm():
        ray.init(
            address=cluster or "local", log_to_driver=False, logging_level=logging.ERROR, **here
        )
    try:
        # Through Ray's object store, so that nodes need no folder in common.
        yield _Ray(ray.put(workload))
    finally:
        ray.shutdown()
