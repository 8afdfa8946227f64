"""Prepare a checkout to run: uv in .uv/, CPython 3.13, .venv with exactly requirements.lock.

Needs only a Python 3 with pip (or uv on the PATH); standard library only. Safe to run again:
nothing is done when the environment already matches the lock.

    python3 ops/setup/bootstrap.py                      the product and its tests
    python3 ops/setup/bootstrap.py --venv .venv-bench --lock requirements-bench.lock
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV_FOLDER = ROOT / ".uv"
PYTHON = (3, 13)


def main() -> int:
    """Bring the environment in line with the lock; return the process exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--venv", default=".venv")
    parser.add_argument("--lock", default="requirements.lock")
    arguments = parser.parse_args()
    venv, lock = ROOT / arguments.venv, ROOT / arguments.lock
    stamp = venv / ".installed"
    wanted = fingerprint(lock)
    if stamp.is_file() and stamp.read_text() == wanted and (venv / "bin/python").exists():
        return 0
    uv = find_uv()
    if not (venv / "bin/python").exists() or python_version(venv / "bin/python") != PYTHON:
        run(uv, "venv", "--quiet", "--clear", "--python", find_python(uv), str(venv))
    python = str(venv / "bin/python")
    say(f"installing {lock.name} into {venv.name}")
    run(uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes",
        "--compile-bytecode", str(lock))  # fmt: skip
    # The build backend is itself in the lock, so nothing outside it is fetched for the project.
    run(uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "--no-build-isolation",
        "--editable", str(ROOT))  # fmt: skip
    stamp.write_text(wanted)
    return 0


def fingerprint(lock: Path) -> str:
    """Hash what the environment depends on."""
    content = lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    return hashlib.sha256(content).hexdigest()


def find_uv() -> str:
    """Return uv's path: ours, the PATH's, or a fresh one installed by pip into .uv/."""
    own = UV_FOLDER / "bin" / "uv"
    if own.exists():
        return str(own)
    if found := shutil.which("uv"):
        return found
    say("installing uv into .uv/")
    pip = [sys.executable, "-m", "pip"]
    os.environ.setdefault("PIP_ROOT_USER_ACTION", "ignore")  # a folder of our own harms no system
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode != 0:
        stop("this Python has no pip and uv is not on the PATH",
             "install the python3-pip package, or uv, and run again")  # fmt: skip
    run(*pip, "install", "--quiet", "--disable-pip-version-check", "--target", str(UV_FOLDER), "uv")
    return str(own)


def find_python(uv: str) -> str:
    """Return a CPython 3.13: a working one on this machine, else one that uv fetches."""
    for candidate in candidates():
        if python_version(candidate) == PYTHON:
            return str(candidate)
    say("no CPython 3.13 found here: asking uv to fetch one (needs internet)")
    run(uv, "python", "install", "--install-dir", str(UV_FOLDER / "python"), "3.13")
    fetched = sorted((UV_FOLDER / "python").glob("cpython-3.13*/bin/python3.13"))
    if not fetched:
        stop("uv fetched no CPython 3.13", "install Python 3.13 and run again")
    return str(fetched[-1])


def candidates() -> list[Path]:
    """List interpreters worth asking; version managers' shims may exist and still fail to run."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders += sorted((path / "bin" for path in pyenv.glob("3.13*")), reverse=True)
    folders += sorted((Path.home() / ".local/share/uv/python").glob("cpython-3.13*/bin"))
    paths = [folder / name for folder in folders for name in ("python3.13", "python3")]
    return [Path(sys.executable), *(path for path in paths if path.exists())]


def python_version(executable: Path) -> tuple[int, int] | None:
    """Return (major, minor) of a working CPython, else None."""
    script = "import sys; print(sys.implementation.name, *sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [executable, "-I", "-c", script], capture_output=True, text=True, check=True, timeout=30
        ).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None
    return (int(answer[1]), int(answer[2])) if answer[:1] == ["cpython"] else None


def run(*command: str) -> None:
    """Run a step; a failure names it and ends the bootstrap."""
    if subprocess.run(command, check=False).returncode != 0:
        stop(f"this step failed: {' '.join(command)}", "read its message above and run again")


def say(text: str) -> None:
    """Tell a person what takes time."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


def stop(problem: str, next_step: str) -> None:
    """End with one line that says what to do."""
    raise SystemExit(f"setup: {problem} | next: {next_step}")


if __name__ == "__main__":
    sys.exit(main())
