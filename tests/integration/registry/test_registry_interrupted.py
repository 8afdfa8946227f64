"""What the registry says of trainings that were called off, or whose process was killed."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tradingd.kits.interrupts import Terminated
from tradingd.kits.owner import this_process
from tradingd.registry.open import Registry
from tradingd.registry.trials import PROCESS, RunHandle

NOBODY = 2**22 + 1
"""Above every number of a process."""


def status(registry: Registry, run: RunHandle | str) -> str:
    found = registry._client.get_run(run if isinstance(run, str) else run.id)
    return str(found.info.status)


def log(registry: Registry, run: RunHandle, number: int = 0) -> None:
    registry.log_trial(run, number=number, parameters={}, score=None, sharpe=0.1)


@pytest.mark.parametrize(
    ("error", "ending"),
    [(Terminated, "KILLED"), (KeyboardInterrupt, "KILLED"), (SystemExit, "KILLED"),
     (OSError, "FAILED")],
)  # fmt: skip
def test_who_calls_a_training_off_does_not_make_it_a_failure(
    registry: Registry, error: type[BaseException], ending: str
) -> None:
    begun: list[RunHandle] = []

    def train() -> None:
        with registry.run("swing") as run:
            begun.append(run)
            log(registry, run)
            raise error

    with pytest.raises(error):
        train()
    assert status(registry, begun[0]) == ending
    assert registry.trials("swing").count == 1


def test_a_signal_while_a_run_begins_or_a_trial_is_recorded_waits_for_that(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = registry._client
    real, calls = client.create_run, []

    def create_run(*arguments: Any, **words: Any) -> Any:
        made = real(*arguments, **words)
        calls.append(made.info.run_id)
        if len(calls) in {1, 3}:
            signal.raise_signal(signal.SIGINT)
        return made

    monkeypatch.setattr(client, "create_run", create_run)

    def train() -> None:
        with registry.run("swing") as run:
            log(registry, run)

    # While the training's own run begins, then while its trial is recorded.
    for tried in (0, 1):
        with pytest.raises(KeyboardInterrupt):
            train()
        assert registry.trials("swing").count == tried
    assert [status(registry, one) for one in calls] == ["KILLED", "KILLED", "FINISHED"]


def test_the_next_training_ends_the_runs_of_killed_processes_and_no_others(
    registry: Registry,
) -> None:
    me = this_process()
    owners = {
        "killed": msgspec.structs.replace(me, pid=NOBODY),
        "alive": me,
        "elsewhere": msgspec.structs.replace(me, pid=NOBODY, host="elsewhere/0"),
    }
    runs = {name: registry.start_run("swing" if name != "killed" else name) for name in owners}
    for name, owner in owners.items():
        process = msgspec.json.encode(owner).decode()
        registry._client.set_tag(runs[name].id, PROCESS, process)
        registry._client.set_tag(runs[name].id, "tradingd.host", owner.host)
    with registry.run("swing"):
        found = {name: status(registry, run) for name, run in runs.items()}
    assert found == {"killed": "KILLED", "alive": "RUNNING", "elsewhere": "RUNNING"}


def test_runs_that_say_nothing_readable_of_their_process_are_left_alone(registry: Registry) -> None:
    run = registry.start_run("swing")
    registry._client.set_tag(run.id, PROCESS, "?")
    with registry.run("swing"):
        assert status(registry, run) == "RUNNING"


KILLED = """
import os, sys
from pathlib import Path
from tradingd.registry.open import Registry
registry = Registry(Path(sys.argv[1]))
with registry.run("swing") as run:
    registry.log_trial(run, number=0, parameters={}, score=None, sharpe=0.1)
    print(run.id, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_the_trials_of_a_killed_training_stay_counted(registry: Registry, root: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(root)], stdout=subprocess.PIPE, text=True, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    left = ended.stdout.strip()
    assert status(registry, left) == "RUNNING"
    with registry.run("swing") as run:
        assert run.before == 1
        log(registry, run)
    assert status(registry, left) == "KILLED"
    assert registry.trials("swing").count == 2
