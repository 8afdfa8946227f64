"""A machine with tradingd installed on it, as a test sees it."""

import compileall
import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from tests.systemd.sandbox import Sandbox, wait_for

REPOSITORY = Path(__file__).resolve().parents[2]
STANDIN = Path(__file__).with_name("standin.py")
VERSION = "under-test"
PYTHON = "/opt/tradingd/python"
DEPENDENCIES = "/opt/tradingd/dependencies"
"""Where the interpreter and the installed packages of this environment are shown, read-only."""


def staged(tree: Path) -> Path:
    """Lay out what `make install` and a release put on a machine; return the folder."""
    subprocess.run(
        ["make", "-s", "install", f"DESTDIR={tree}"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    _stage_release(tree / "opt/tradingd/releases" / VERSION)
    (tree / "opt/tradingd/current").symlink_to(f"releases/{VERSION}")
    _stage_shared_library(tree)
    return tree


def binds() -> list[tuple[Path, str]]:
    """Return the host's folders that the staged release needs to run."""
    return [
        (Path(sys.base_prefix), PYTHON),
        (Path(sysconfig.get_path("purelib")), DEPENDENCIES),
    ]


def _stage_release(release: Path) -> None:
    """Build a release shaped as an installed wheel: the product copied, its packages bound.

    Packages named by a .pth file have their own .pth files ignored, so the editable install of the
    environment under test is not seen: what runs is the copy.
    """
    packages = release / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    shutil.copytree(REPOSITORY / "tradingd", packages / "tradingd")
    compileall.compile_dir(str(packages), quiet=2)
    (packages / "dependencies.pth").write_text(DEPENDENCIES + "\n")
    for data in ("conf", "contracts"):
        shutil.copytree(REPOSITORY / data, release / "share/tradingd" / data)
    binaries = release / "bin"
    binaries.mkdir()
    (binaries / "python").symlink_to(f"{PYTHON}/bin/python3.{sys.version_info.minor}")
    (release / "pyvenv.cfg").write_text(f"home = {PYTHON}/bin\nrelocatable = true\n")
    for program in ("tradingd", "tradingctl"):
        script = binaries / program
        script.write_text(
            "#!/bin/sh\n"
            '\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'python\' "$0" "$@"\n'
            "' '''\n"
            f"import sys\nfrom tradingd.cli.main import {program}\nsys.exit({program}())\n"
        )
        script.chmod(0o755)


def _stage_shared_library(tree: Path) -> None:
    """Make a shared libpython found: its run path names a folder that ProtectHome= may hide."""
    if not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        return
    name = sysconfig.get_config_var("INSTSONAME")
    folder = tree / "usr/lib" / (sysconfig.get_config_var("MULTIARCH") or "")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).symlink_to(f"{PYTHON}/lib/{name}")


class Machine:
    """A booted sandbox with tradingd installed.

    Parameters
    ----------
    tree : Path
        What `staged` laid out.
    keep : Path, optional
        Folder that survives `reboot`.
    """

    def __init__(self, tree: Path, *, keep: Path | None) -> None:
        self.sandbox = Sandbox("tradingd-test", tree=tree, binds=binds(), keep=keep)

    def start_machine(self) -> None:
        """Boot and do what a package's installation does."""
        self.sandbox.start()
        self.exec("systemd-sysusers", "tradingd.conf")
        self.exec("systemd-tmpfiles", "--create", "tradingd.conf")

    def reboot(self) -> None:
        """Power off and boot again; needs `keep`."""
        self.sandbox.reboot()

    def exec(
        self, *command: str, check: bool = True, text: str | None = None, timeout: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root; AssertionError with its output when it fails and `check`."""
        return self.sandbox.exec(*command, check=check, text=text, timeout=timeout)

    def path(self, inside: str) -> Path:
        """Return the host's name of a file of the machine; open it, do not resolve it."""
        return self.sandbox.root / inside.lstrip("/")

    def state(self, instance: str) -> Path:
        """Return the state folder of an instance."""
        return self.path(f"/var/lib/tradingd/{instance}")

    # -- units ---------------------------------------------------------------------------------

    def systemctl(self, *arguments: str, check: bool = True) -> str:
        """Run systemctl and return what it says on standard output."""
        return self.exec("systemctl", *arguments, check=check).stdout.strip()

    def show(self, unit: str, name: str) -> str:
        """Return one property of a unit."""
        return self.systemctl("show", "--value", "-P", name, unit)

    def start(self, instance: str) -> None:
        """Start the daemon of an instance; returns when it is READY."""
        self.systemctl("start", f"tradingd@{instance}.service")

    def stop(self, instance: str) -> None:
        """Stop the daemon of an instance; returns when it has ended."""
        self.systemctl("stop", f"tradingd@{instance}.service")

    def main_pid(self, instance: str) -> int:
        """Return the daemon's process id inside the machine; 0 where none runs."""
        return int(self.show(f"tradingd@{instance}.service", "MainPID"))

    def kill_main(self, instance: str, signal: str) -> None:
        """Send a signal, e.g. ``SIGKILL``, to the daemon's main process."""
        self.systemctl("kill", "-s", signal, "--kill-who=main", f"tradingd@{instance}.service")

    def wait_for[T](self, condition: Callable[[], T], what: str, timeout: float = 30.0) -> T:
        """Return the condition's first true value."""
        return wait_for(condition, what, timeout)

    def wait_state(self, unit: str, state: str, timeout: float = 30.0) -> None:
        """Wait until a unit's ActiveState is `state`."""
        self.wait_for(
            lambda: self.show(unit, "ActiveState") == state, f"{unit} is {state}", timeout
        )

    def drop_in(self, unit: str, text: str) -> None:
        """Add lines to a unit's [Service] section, until the machine is gone."""
        folder = self.path(f"/run/systemd/system/{unit}.d")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "test.conf").write_text(f"[Service]\n{text}\n")
        self.systemctl("daemon-reload")

    def forget(self, instance: str) -> None:
        """Stop everything of an instance and forget its failures."""
        units = [
            f"tradingd@{instance}.service",
            f"tradingd@{instance}.socket",
            f"tradingd-flag@{instance}.path",
            f"tradingd-kill@{instance}.service",
            f"tradingd-simbroker@{instance}.service",
            f"tradingd-backfill@{instance}.service",
        ]
        self.systemctl("stop", *units, check=False)
        self.systemctl("reset-failed", *units, check=False)

    # -- configuration and logs ----------------------------------------------------------------

    def write_config(self, instance: str, text: str) -> None:
        """Write /etc/tradingd/INSTANCE.yaml and link the instance to the release under test."""
        folder = self.path("/etc/tradingd")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{instance}.yaml").write_text(text)
        self.link(instance, VERSION)

    def link(self, instance: str, release: str) -> None:
        """Link an instance to a release by hand."""
        link = self.path(f"/opt/tradingd/instances/{instance}")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(f"../releases/{release}")

    def standin(self, version: str) -> None:
        """Install the miniature daemon as a release of its own."""
        binaries = self.path(f"/opt/tradingd/releases/{version}/bin")
        binaries.mkdir(parents=True, exist_ok=True)
        for program in ("tradingd", "tradingctl"):
            shutil.copyfile(STANDIN, binaries / program)
            (binaries / program).chmod(0o755)

    def journal(self, unit: str = "", **fields: str) -> list[dict[str, str]]:
        """Return journal entries of a unit, or those whose fields match, oldest first."""
        matches = [f"{name}={value}" for name, value in fields.items()]
        units = ["-u", unit] if unit else []
        said = self.exec("journalctl", "-o", "json", "--all", *units, *matches, check=False).stdout
        return [json.loads(line) for line in said.splitlines()]

    def messages(self, unit: str) -> str:
        """Return the journal of a unit as text."""
        return self.exec("journalctl", "-o", "cat", "--all", "-u", unit, check=False).stdout
