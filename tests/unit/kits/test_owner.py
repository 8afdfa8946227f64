"""Which process has surely ended; a doubt keeps it alive."""

import os
import subprocess
import sys

import msgspec
import pytest

from tradingd.kits.owner import Owner, has_ended, this_process

REPLACED = {
    "another machine": ({"host": "elsewhere/0", "pid": 2**22 + 1}, False),
    "a system that does not tell": ({"boot": "", "began": -1, "pid": 2**22 + 1}, False),
    "numbers of another container": ({"space": "pid:[1]", "pid": 2**22 + 1}, False),
    "a number without a process": ({"pid": 2**22 + 1}, True),
    "a number that another process has now": ({"began": 1}, True),
    "before this boot": ({"boot": "an earlier one"}, True),
}


def test_who_asks_runs() -> None:
    assert not has_ended(this_process())


@pytest.mark.parametrize("case", REPLACED)
def test_a_process_has_ended_only_where_that_is_known(case: str) -> None:
    other, ended = REPLACED[case]
    assert has_ended(msgspec.structs.replace(this_process(), **other)) is ended


SAY = """
import sys, msgspec
from tradingd.kits.owner import this_process
print(msgspec.json.encode(this_process()).decode(), flush=True)
sys.stdin.read()
"""


def test_a_killed_process_has_ended_before_anybody_has_waited_for_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SAY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        owner = msgspec.json.decode(process.stdout.readline(), type=Owner)
        assert owner.pid == process.pid
        assert not has_ended(owner)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert has_ended(owner)
    assert has_ended(owner)
