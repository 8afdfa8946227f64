"""Build a release, or adopt one; remove those that nothing uses."""

import argparse
import os
import shutil
from pathlib import Path

from asking import ask, last, run, say
from folders import VERSION, Site, fsync, point, target
from refusal import REFUSED, Refusal


def install(site: Site, options: argparse.Namespace) -> None:
    """Build a release from a wheel and its lock, or adopt a tree that was built elsewhere.

    It is built under a temporary name, asked for its version, then renamed: an interrupted build
    leaves nothing that could be started.
    """
    site.releases.mkdir(parents=True, exist_ok=True)
    building = site.releases / f".building-{os.getpid()}"
    try:
        if options.tree:
            shutil.copytree(options.tree, building, symlinks=True)
        else:
            _build(site, building, options)
        version = options.version or _version(building)
        final = site.releases / version
        if final.exists():
            raise Refusal(
                f"release {version} is installed already",
                where=final,
                next_step="releases never change: give the new one another version",
                code=REFUSED,
            )
        building.rename(final)
        fsync(site.releases)
        os.utime(final)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    point(site.current, Path("releases") / version)
    say(f"installed {version} in {final}")
    prune(site, options.keep)


def _build(site: Site, folder: Path, options: argparse.Namespace) -> None:
    wheel, lock = Path(options.wheel or ""), Path(options.lock or "")
    for path, flag in ((wheel, "WHEEL"), (lock, "--lock")):
        if not path.is_file():
            raise Refusal(f"{flag} is not a file", where=path, next_step="see tradingd-release -h")
    uv = _uv(site)
    environment = {**os.environ, "UV_PYTHON_INSTALL_DIR": str(site.base / "python")}
    python = options.python or "3.13"
    run(uv, "venv", "--quiet", "--relocatable", "--python", python, str(folder), env=environment)
    inside = str(folder / "bin/python")
    run(uv, "pip", "sync", "--quiet", "--python", inside, "--require-hashes",
         "--link-mode=copy", "--allow-empty-requirements", str(lock), env=environment)  # fmt: skip
    run(uv, "pip", "install", "--quiet", "--python", inside, "--no-deps", "--compile-bytecode",
         "--link-mode=copy", str(wheel), env=environment)  # fmt: skip
    interpreter = Path(inside).resolve()
    if site.live and (interpreter.is_relative_to("/root") or interpreter.is_relative_to("/home")):
        raise Refusal(
            "the interpreter is in a home folder, which the units may not see",
            where=interpreter,
            next_step=f"--python with one outside /root and /home, e.g. below {site.base}/python",
        )
    shutil.copyfile(lock, folder / "requirements.lock")


def _uv(site: Site) -> str:
    for candidate in (os.environ.get("UV"), str(site.base / "bin/uv"), shutil.which("uv")):
        if candidate and Path(candidate).exists():
            return candidate
    raise Refusal("uv is not installed", next_step=f"put it into {site.base}/bin, or set UV")


def _version(folder: Path) -> str:
    """Ask a release for its version, which also proves that it starts."""
    said = ask(folder / "bin/tradingd", "--version")
    version = said.stdout.strip().rpartition(" ")[2]
    if said.returncode != 0 or not VERSION.fullmatch(version):
        raise Refusal("the release does not start", where=folder, next_step=last(said.stderr))
    return version


def prune(site: Site, keep: int) -> None:
    """Remove the oldest releases nobody uses: no link names them and no process runs from them."""
    used = {target(link) for folder in (site.instances, site.previous) for link in folder.glob("*")}
    used.add(target(site.current))
    spare = [version for version in site.versions() if version not in used]
    spare = [version for version in spare if not _running(site.releases / version)]
    surplus = max(0, len(site.versions()) - keep)
    for version in spare[:surplus]:
        shutil.rmtree(site.releases / version)
        say(f"removed {version}, which nothing used")


def _running(folder: Path) -> bool:
    """Tell whether a process was started from a folder."""
    prefix = f"{folder}/".encode()
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if any(word.startswith(prefix) for word in command.read_bytes().split(b"\0")):
                return True
        except OSError:
            continue
    return False
