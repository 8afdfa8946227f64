import os
import signal
import subprocess
import sys
import textwrap

import pytest

from tradingd.kits.atomicfile import TEMPORARY_SUFFIX, replacing, write_bytes


def test_a_written_file_has_the_new_content_and_no_temporary_beside_it(tmp_path):
    target = tmp_path / "deep" / "a.bin"
    write_bytes(target, b"one")
    write_bytes(target, b"two")
    assert target.read_bytes() == b"two"
    assert [path.name for path in target.parent.iterdir()] == ["a.bin"]


def write_half_and_fail(target):
    with replacing(target) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError


def test_an_exception_leaves_the_old_content_and_no_temporary(tmp_path):
    target = tmp_path / "a.bin"
    write_bytes(target, b"old")
    with pytest.raises(RuntimeError):
        write_half_and_fail(target)
    assert target.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_sigkill_while_writing_leaves_the_old_content(tmp_path):
    target = tmp_path / "a.bin"
    write_bytes(target, b"old")
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from tradingd.kits.atomicfile import replacing
        with replacing(Path(sys.argv[1])) as temporary:
            temporary.write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    ended = subprocess.run([sys.executable, "-c", script, str(target)], env=os.environ)
    assert ended.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"
    left = [path.name for path in tmp_path.iterdir() if path != target]
    assert len(left) == 1
    assert left[0].endswith(TEMPORARY_SUFFIX)
