"""`tradingd-release` below a folder that stands for a machine."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.systemd.machine import REPOSITORY

PROGRAM = REPOSITORY / "ops/release/program"
PYTHON = os.environ.get("SYSTEM_PYTHON", "/usr/bin/python3")

pytestmark = pytest.mark.skipif(not Path(PYTHON).exists(), reason=f"there is no {PYTHON}")


def release(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, "-B", str(PROGRAM), "--root", str(root), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "UV": uv()},
    )


def uv() -> str:
    own = REPOSITORY / ".uv/bin/uv"
    return str(own) if own.exists() else shutil.which("uv") or ""


def tree(folder: Path, version: str, *, starts: bool = True) -> Path:
    """Return a release that was built elsewhere."""
    binaries = folder / version / "bin"
    binaries.mkdir(parents=True)
    program = binaries / "tradingd"
    program.write_text(f"#!/bin/sh\n{'' if starts else 'exit 1'}\necho tradingd {version}\n")
    program.chmod(0o755)
    return binaries.parent


def adopt(root: Path, version: str) -> None:
    done = release(root, "install", "--tree", str(tree(root / "built", version)))
    assert done.returncode == 0, done.stderr


def wheel(folder: Path, version: str) -> Path:
    """Write a wheel of the product's name that needs nothing else."""
    info = f"tradingd-{version}.dist-info"
    files = {
        "tradingd/__init__.py": f"def main():\n    print('tradingd {version}')\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tradingd\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ntradingd = tradingd:main\n",
    }
    path = folder / f"tradingd-{version}-py3-none-any.whl"
    records = []
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            records.append(f"{name},sha256={digest.rstrip(b'=').decode()},{len(text)}")
        archive.writestr(f"{info}/RECORD", "\n".join([*records, f"{info}/RECORD,,"]))
    return path


def test_a_wheel_and_its_lock_become_a_release_that_may_be_moved(tmp_path: Path) -> None:
    if not uv():
        pytest.skip("uv is not installed")
    lock = tmp_path / "requirements.lock"
    lock.write_text("")
    made = wheel(tmp_path, "9.1.0")
    done = release(tmp_path, "install", str(made), "--lock", str(lock), "--python", sys.executable)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "opt/tradingd/releases/9.1.0"
    assert (folder / "requirements.lock").exists()
    moved = tmp_path / "moved"
    folder.rename(moved)
    said = subprocess.run([moved / "bin/tradingd"], capture_output=True, text=True, check=True)
    assert said.stdout == "tradingd 9.1.0\n"


def test_a_release_never_changes(tmp_path: Path) -> None:
    adopt(tmp_path, "1.0")
    again = release(tmp_path, "install", "--tree", str(tmp_path / "built/1.0"))
    assert again.returncode == 51
    assert "installed already" in again.stderr


@pytest.mark.parametrize("words", [(), ("--lock", "absent.lock"), ("absent.whl",)])
def test_an_install_without_its_files_is_refused_in_one_line(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = release(tmp_path, "install", *words)
    assert done.returncode == 70
    assert done.stderr.count("\n") == 1


def test_a_release_that_does_not_start_is_not_installed(tmp_path: Path) -> None:
    done = release(tmp_path, "install", "--tree", str(tree(tmp_path, "1.0", starts=False)))
    assert done.returncode == 70
    assert list((tmp_path / "opt/tradingd/releases").iterdir()) == []


def test_switching_moves_one_instance_and_remembers_where_it_was(tmp_path: Path) -> None:
    adopt(tmp_path, "1.0")
    adopt(tmp_path, "1.1")
    assert release(tmp_path, "switch", "1.0", "paper", "live").returncode == 0
    assert release(tmp_path, "switch", "1.1", "paper").returncode == 0
    base = tmp_path / "opt/tradingd"
    assert (base / "instances/paper").resolve().name == "1.1"
    assert (base / "instances/live").resolve().name == "1.0"
    assert (base / "previous/paper").readlink().name == "1.0"
    listed = release(tmp_path, "list").stdout.splitlines()
    assert listed == ["1.0\tlive", "1.1\tpaper, command line"]


@pytest.mark.parametrize("words", [("9.9", "paper"), ("../1.0", "paper"), ("1.0", "../paper")])
def test_a_switch_to_what_is_not_there_moves_nothing(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    adopt(tmp_path, "1.0")
    done = release(tmp_path, "switch", *words)
    assert done.returncode != 0
    assert not (tmp_path / "opt/tradingd/instances").exists()


def test_old_releases_go_but_none_that_is_linked(tmp_path: Path) -> None:
    adopt(tmp_path, "1.0")
    release(tmp_path, "switch", "1.0", "live")
    for version in ("1.1", "1.2", "1.3", "1.4"):
        adopt(tmp_path, version)
    left = {path.name for path in (tmp_path / "opt/tradingd/releases").iterdir()}
    assert left == {"1.0", "1.3", "1.4"}


def test_a_release_that_a_process_runs_from_is_kept(tmp_path: Path) -> None:
    adopt(tmp_path, "1.0")
    program = tmp_path / "opt/tradingd/releases/1.0/bin/sleeper"
    program.write_text("#!/bin/sh\necho up\nread line\n")
    program.chmod(0o755)
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        for version in ("1.1", "1.2", "1.3", "1.4"):
            adopt(tmp_path, version)
        kept = program.exists()
        running.communicate(b"\n")
    assert kept


def test_make_install_puts_everything_below_destdir_and_keeps_local_edits(tmp_path: Path) -> None:
    install = ["make", "-s", "install", f"DESTDIR={tmp_path}"]
    subprocess.run(install, cwd=REPOSITORY, check=True)
    configuration = tmp_path / "etc/tradingd/paper.yaml"
    configuration.write_text("mode: paper\n# mine\n")
    subprocess.run(install, cwd=REPOSITORY, check=True)
    assert configuration.read_text() == "mode: paper\n# mine\n"
    assert {path.name for path in tmp_path.iterdir()} == {"etc", "opt", "usr"}
    for unit in (REPOSITORY / "systemd").glob("*.*"):
        if unit.suffix != ".md":
            assert (tmp_path / "usr/lib/systemd/system" / unit.name).exists() or unit.is_dir()
    helpers = (tmp_path / "usr/lib/tradingd").iterdir()
    assert all(os.access(helper, os.X_OK) for helper in helpers)


def test_the_launcher_starts_from_the_release_and_not_from_the_link(tmp_path: Path) -> None:
    adopt(tmp_path, "1.0")
    release(tmp_path, "switch", "1.0", "paper")
    program = tmp_path / "opt/tradingd/releases/1.0/bin/where"
    program.write_text('#!/bin/sh\necho "$0"\n')
    program.chmod(0o755)
    launch = [REPOSITORY / "ops/install/launch", "paper", "where"]
    environment = {**os.environ, "TRADINGD_ROOT": str(tmp_path)}
    said = subprocess.run(launch, capture_output=True, text=True, check=True, env=environment)
    assert said.stdout.strip() == str(program)


@pytest.mark.parametrize("words", [("nobody", "tradingd"), ("paper", "absent")])
def test_the_launcher_names_what_is_missing(tmp_path: Path, words: tuple[str, ...]) -> None:
    adopt(tmp_path, "1.0")
    release(tmp_path, "switch", "1.0", "paper")
    said = subprocess.run(
        [REPOSITORY / "ops/install/launch", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TRADINGD_ROOT": str(tmp_path)},
    )
    assert said.returncode == 70
    assert "next: tradingd-release" in said.stderr
