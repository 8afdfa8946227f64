"""Fetch promtool, prometheus, amtool and alertmanager of this Debian into .tools/, unprivileged.

    python3 ops/setup/promtool.py            prints the folder of the programs

Nothing is installed: the packages are downloaded with apt-get and unpacked with dpkg. Programs
that are on the PATH already are used as they are. Standard library only; safe to run again.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".tools" / "prometheus"
PACKAGES = ("prometheus", "prometheus-alertmanager")
PROGRAMS = {
    "promtool": "promtool",
    "prometheus": "prometheus",
    "amtool": "amtool",
    "alertmanager": "prometheus-alertmanager",
}
"""Our names, and the names of the packages' files."""


class NotToBeHad(Exception):
    """The programs are not here and cannot be fetched; the text says why."""


def programs() -> dict[str, Path]:
    """Return where each program is, fetching them when they are missing.

    Raises
    ------
    NotToBeHad
        When this machine has no apt-get or it reaches no mirror.
    """
    found = {name: shutil.which(name) for name in PROGRAMS}
    if all(found.values()):
        return {name: Path(path) for name, path in found.items() if path}
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:  # two test runs may ask at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        unpacked = {name: FOLDER / "usr/bin" / file for name, file in PROGRAMS.items()}
        if not all(path.is_file() for path in unpacked.values()):
            fetch()
    return unpacked


def fetch() -> None:
    """Download and unpack the packages."""
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise NotToBeHad(f"{tool} is not here: install prometheus and alertmanager yourself")
    with tempfile.TemporaryDirectory() as folder:
        done = run("apt-get", "download", *PACKAGES, folder=folder)
        if done.returncode != 0 and os.geteuid() == 0:
            run("apt-get", "update", "-qq", folder=folder)
            done = run("apt-get", "download", *PACKAGES, folder=folder)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise NotToBeHad(f"apt-get cannot download {' and '.join(PACKAGES)}: {last}")
        for package in sorted(Path(folder).glob("*.deb")):
            done = run("dpkg", "-x", str(package), str(FOLDER), folder=folder)
            if done.returncode != 0:
                raise NotToBeHad(f"{package.name} cannot be unpacked: {done.stderr.strip()}")


def run(*command: str, folder: str) -> "subprocess.CompletedProcess[str]":
    """Run a command; its result, whatever it is."""
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )


if __name__ == "__main__":
    try:
        print(programs()["promtool"].parent)
    except NotToBeHad as reason:
        sys.exit(f"promtool: {reason}")
