"""The account lock between real processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradingd.daemon.lock import INSTANCE, AccountLock, accounts_folder
from tradingd.kits.failure import ExitCode, Failure

HOLDER = """
import sys, time
from pathlib import Path
from tradingd.daemon.lock import INSTANCE, AccountLock
AccountLock(Path(sys.argv[1]), broker="simulated", account="SIM-1", instance="first").acquire()
sys.stdout.write("held\\n"); sys.stdout.flush()
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def lock(folder: Path, instance: str = "second", account: str = "SIM-1") -> AccountLock:
    return AccountLock(folder, broker="simulated", account=account, instance=instance)


def test_a_second_instance_is_refused_and_told_who_holds_the_account(
    tmp_path: Path, holder
) -> None:
    with pytest.raises(Failure) as refused:
        lock(tmp_path).acquire()
    assert refused.value.code is ExitCode.SECOND_INSTANCE == 60
    assert refused.value.found == f"process {holder.pid}, instance first"
    assert "simulated account SIM-1" in refused.value.what


def test_a_second_daemon_of_an_instance_is_told_that_the_instance_runs(tmp_path: Path) -> None:
    first = AccountLock(tmp_path, broker=INSTANCE, account="lv2", instance="lv2")
    first.acquire()
    with pytest.raises(Failure) as refused:
        AccountLock(tmp_path, broker=INSTANCE, account="lv2", instance="lv2").acquire()
    first.release()
    assert refused.value.what == "another daemon runs the instance lv2"
    assert refused.value.expected == "one daemon an instance"


def test_another_account_is_free(tmp_path: Path, holder) -> None:
    other = lock(tmp_path, account="SIM-2")
    other.acquire()
    other.release()


def test_the_lock_dies_with_its_process(tmp_path: Path, holder) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait(10)
    mine = lock(tmp_path)
    mine.acquire()
    with pytest.raises(Failure) as refused:
        lock(tmp_path, "third").acquire()
    assert refused.value.found == f"process {os.getpid()}, instance second"
    mine.release()


def test_a_child_of_the_daemon_does_not_keep_the_lock(tmp_path: Path) -> None:
    mine = lock(tmp_path)
    mine.acquire()
    child = [sys.executable, "-c", "input()"]
    with subprocess.Popen(child, stdin=subprocess.PIPE, close_fds=False) as process:
        mine.release()
        again = lock(tmp_path)
        again.acquire()
        again.release()
        process.communicate(b"\n", timeout=30)


def test_a_released_lock_can_be_taken_and_released_again(tmp_path: Path) -> None:
    one = lock(tmp_path)
    one.release()
    for _ in range(2):
        one.acquire()
        one.release()


def test_an_account_id_is_no_path(tmp_path: Path) -> None:
    odd = lock(tmp_path, account="../../x y")
    odd.acquire()
    assert odd.path.parent == tmp_path
    assert odd.path.exists()
    odd.release()


def test_a_folder_that_cannot_be_made_is_a_refusal_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failure) as refused:
        lock(tmp_path / "file" / "accounts").acquire()
    assert refused.value.code is ExitCode.INSTALL
    assert "file/accounts" in refused.value.where


def test_instances_of_one_user_share_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    absent = tmp_path / "absent"
    assert accounts_folder("a-b", shared=absent) == accounts_folder("c-d", shared=absent)
    assert accounts_folder("a-b", shared=tmp_path) == tmp_path
