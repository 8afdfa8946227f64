"""Where releases, instances and the links between them are."""

import os
import re
from pathlib import Path

from refusal import USAGE, Refusal

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}")


class Site:
    """The folders of a machine, or of a DESTDIR that stands for one."""

    def __init__(self, root: Path) -> None:
        self.base = root / "opt/tradingd"
        self.releases = self.base / "releases"
        self.instances = self.base / "instances"
        self.previous = self.base / "previous"
        self.current = self.base / "current"
        self.configuration = root / "etc/tradingd"
        self.live = root == Path("/")

    def versions(self) -> list[str]:
        """Return the installed versions, the one installed last at the end."""
        if not self.releases.is_dir():
            return []
        found = [path for path in self.releases.iterdir() if not path.name.startswith(".")]
        return [path.name for path in sorted(found, key=lambda path: path.stat().st_mtime_ns)]

    def release(self, version: str) -> Path:
        """Return an installed release's folder."""
        folder = self.releases / version
        if not VERSION.fullmatch(version) or not (folder / "bin/tradingd").exists():
            known = ", ".join(self.versions()) or "none"
            raise Refusal(
                f"release {version} is not installed",
                where=self.releases,
                next_step=f"installed: {known}; tradingd-release install WHEEL --lock LOCK",
            )
        return folder

    def chosen(self, instance: str) -> str | None:
        """Return the version an instance is linked to."""
        return target(self.instances / instance)

    def before(self, instance: str) -> str | None:
        """Return the version an instance was linked to before."""
        return target(self.previous / instance)

    def configured(self) -> list[str]:
        """Return the instances that have a configuration file or a link."""
        names = {path.stem for path in self.configuration.glob("*.yaml")} - {"site", "config"}
        names |= {path.name for path in self.instances.glob("*")}
        return sorted(name for name in names if NAME.fullmatch(name))

    def choose(self, instance: str, version: str) -> None:
        """Link an instance to a release in one step, remembering the one before."""
        self.release(version)
        there = self.chosen(instance)
        if there == version:
            return
        if there is not None:
            point(self.previous / instance, Path("../releases") / there)
        point(self.instances / instance, Path("../releases") / version)


def target(link: Path) -> str | None:
    """Return the version a link names, None where there is no link."""
    return link.readlink().name if link.is_symlink() else None


def point(link: Path, target: Path) -> None:
    """Replace a link atomically: there is no moment without one."""
    link.parent.mkdir(parents=True, exist_ok=True)
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
    fsync(link.parent)


def fsync(folder: Path) -> None:
    """Flush a folder's entries to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def named(instances: list[str]) -> list[str]:
    """Return the instances when each has a proper name and there is one."""
    for instance in instances:
        if not NAME.fullmatch(instance):
            raise Refusal(f"{instance!r} is no name of an instance", code=USAGE)
    if not instances:
        raise Refusal("no instance is configured", next_step="name one", code=USAGE)
    return instances
