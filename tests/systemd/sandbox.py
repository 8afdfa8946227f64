"""Boot a real systemd as PID 1 in private namespaces over a throw-away overlay of /.

No container runtime, no virtual machine; needs root, Linux and systemd. The network is private too:
loopback only. The host's mounts, cgroups, /dev, sysctls and services stay as they are, and a
sandbox dies with the process that booted it.

    python -m tests.systemd.sandbox            boot with the installed units and open a shell
"""

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
SYSTEMD = Path("/usr/lib/systemd/systemd")
TOOLS = ("unshare", "nsenter", "mount", "pivot_root", "bash")
ENVIRONMENT = {
    "container": "tradingd-sandbox",
    "LANG": "C.UTF-8",
    "HOME": "/root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "SYSTEMD_PAGER": "",
}


def why_not() -> str:
    """Return why no sandbox can be booted here; empty when one can."""
    if sys.platform != "linux":
        return "a sandbox needs Linux"
    if os.geteuid() != 0:
        return "a sandbox needs root"
    if not SYSTEMD.exists():
        return "systemd is not installed"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    probe = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "--net", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"namespaces are refused: {probe.stderr.strip()}" if probe.returncode else ""


class BootFailure(Exception):
    """The sandbox did not come up; the message holds its console."""


class Sandbox:
    """One booted systemd.

    Parameters
    ----------
    name : str
        Its host name.
    tree : Path
        Files laid over the root before the first boot, laid out like /.
    binds : sequence of (Path, str)
        Folders of the host shown inside, read-only, at the given path.
    keep : Path, optional
        Folder that keeps the upper layer, so that `stop` and `start` are a reboot.
    """

    def __init__(
        self,
        name: str,
        *,
        tree: Path,
        binds: Sequence[tuple[Path, str]] = (),
        keep: Path | None = None,
    ) -> None:
        self.name = name
        self.pid = 0
        self._tree = tree
        self._binds = binds
        self._keep = keep
        self._folder = Path()
        self._outer: subprocess.Popen[bytes] | None = None
        self._cgroups: list[Path] = []

    @property
    def root(self) -> Path:
        """The sandbox's / as the host sees it, while it runs."""
        return Path(f"/proc/{self.pid}/root")

    @property
    def cgroups(self) -> list[Path]:
        """The control groups of the host that hold it, while it runs."""
        return list(self._cgroups)

    def start(self, timeout: float = 30.0, *, degraded: bool = False) -> None:
        """Boot; return when systemd says ``running``, or ``degraded`` where that is allowed."""
        self._folder = Path(tempfile.mkdtemp(prefix="tradingd-sandbox-"))
        for part in ("layer", "root"):
            (self._folder / part).mkdir()
        (self._folder / "tree").symlink_to(self._tree.resolve())
        hybrid = _controllers_on_v1()
        self._write_settings(hybrid)
        self._make_cgroups(hybrid)
        self._launch()
        try:
            self._wait_running(timeout, degraded)
        except BaseException:
            self.stop()
            raise

    def exec(
        self,
        *command: str,
        check: bool = True,
        text: str | None = None,
        timeout: float = 120.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside as root; raise with its output when it fails and `check`."""
        done = subprocess.run(
            [*self._enter(), *command],
            input=text if text is not None else "",
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=ENVIRONMENT,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"{shlex.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done

    def spawn(self, *command: str) -> subprocess.Popen[str]:
        """Start a command inside and return at once."""
        return subprocess.Popen(
            [*self._enter(), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=ENVIRONMENT,
        )

    def shell(self) -> int:
        """Open an interactive shell inside."""
        return subprocess.run(
            [*self._enter(), "bash", "-l"], check=False, env=ENVIRONMENT
        ).returncode

    def stop(self, grace: float = 20.0) -> None:
        """Power off in order, then by force; leave nothing behind but the kept layer."""
        outer, self._outer = self._outer, None
        if outer is not None:
            if self.pid and outer.poll() is None:
                _signal(self.pid, signal.SIGRTMIN + 4)  # systemd: poweroff.target
            try:
                outer.wait(grace)
            except subprocess.TimeoutExpired:
                outer.kill()  # unshare's --kill-child takes PID 1 with it
                outer.wait()
        self.pid = 0
        for group in self._cgroups:
            _remove_cgroup(group)
        self._cgroups = []
        if self._folder != Path():
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = Path()

    def reboot(self) -> None:
        """Stop and start over the kept layer: /run and /tmp are new, the rest stays.

        What fails at the second boot is the test's own business.
        """
        assert self._keep is not None, "a reboot needs keep="
        self.stop()
        self.start(degraded=True)

    # -- how -----------------------------------------------------------------------------------

    def _write_settings(self, hybrid: bool) -> None:
        if self._keep is not None:
            self._keep.mkdir(parents=True, exist_ok=True)
        binds = " ".join(shlex.quote(f"{source}:{target}") for source, target in self._binds)
        layer = shlex.quote(str(self._keep)) if self._keep else ""
        (self._folder / "settings").write_text(
            f"NAME={shlex.quote(self.name)}\nHYBRID={'1' if hybrid else ''}\n"
            f"LAYER={layer}\nBINDS=({binds})\n"
        )

    def _make_cgroups(self, hybrid: bool) -> None:
        """Give the sandbox groups of its own: its namespace is rooted there and sees no others."""
        for mount in _cgroup_mounts(hybrid):
            group = mount / self._folder.name
            try:
                group.mkdir()
            except OSError:
                continue
            for knob in ("cpuset.cpus", "cpuset.mems"):  # v1 gives a new group none of either
                if (mount / knob).exists() and (group / knob).exists():
                    (group / knob).write_text((mount / knob).read_text())
            self._cgroups.append(group)

    def _launch(self) -> None:
        namespaces = "--mount --pid --fork --uts --ipc --cgroup --net --kill-child=SIGKILL"
        joins = "".join(f"echo $$ > {group}/cgroup.procs; " for group in self._cgroups)
        script = f"{joins}exec unshare {namespaces} bash {HERE / 'boot.sh'} {self._folder}"
        with (self._folder / "console").open("wb") as console:
            self._outer = subprocess.Popen(
                ["bash", "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def _wait_running(self, timeout: float, degraded: bool) -> None:
        end = time.monotonic() + timeout
        answer = ""
        while time.monotonic() < end:
            assert self._outer is not None
            if self._outer.poll() is not None:
                raise BootFailure(f"PID 1 ended while booting:\n{self._console()}")
            self.pid = _only_child(self._outer.pid)
            if self.pid and _executable(self.pid) == SYSTEMD:
                answer = self.exec("systemctl", "is-system-running", check=False).stdout.strip()
                if answer == "running" or (degraded and answer == "degraded"):
                    return
                if answer == "degraded":
                    failed = self.exec("systemctl", "--failed", "--plain", "--no-legend").stdout
                    raise BootFailure(f"units failed at boot:\n{failed}")
            time.sleep(0.05)
        raise BootFailure(
            f"not running after {timeout} s ({answer or 'no answer'})\n{self._console()}"
        )

    def _console(self) -> str:
        return (self._folder / "console").read_text(errors="replace")[-4000:]

    def _enter(self) -> list[str]:
        return ["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-i", "-C", "-n", "-r", "-w"]


def wait_for[T](condition: Callable[[], T], what: str, timeout: float = 30.0) -> T:
    """Return the condition's first true value; fail with `what` when there is none in time."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.05)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG; kept over exec


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _only_child(pid: int) -> int:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return int(children[0]) if children else 0


def _executable(pid: int) -> Path:
    try:
        return Path(f"/proc/{pid}/exe").readlink()
    except OSError:
        return Path()


def _mounts() -> list[list[str]]:
    return [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]


def _controllers_on_v1() -> bool:
    return any(one[2] == "cgroup" and "memory" in one[3].split(",") for one in _mounts())


def _cgroup_mounts(hybrid: bool) -> list[Path]:
    kinds = ("cgroup2", "cgroup") if hybrid else ("cgroup2",)
    return [Path(one[1]) for one in _mounts() if one[2] in kinds]


def _remove_cgroup(group: Path) -> None:
    """Remove a cgroup and those below it, the deepest first; the kernel may need a moment."""

    def removed() -> bool:
        folders = [Path(folder) for folder, _, _ in os.walk(group, topdown=False)]
        for folder in folders:
            try:
                folder.rmdir()
            except OSError:
                continue
        return not group.exists()

    wait_for(removed, f"cgroup {group} is empty", 10.0)


def main() -> int:
    """Boot with the installed units, open a shell, power off."""
    from tests.systemd.machine import Machine, staged

    if reason := why_not():
        sys.stderr.write(f"sandbox: {reason}\n")
        return 69
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(staged(Path(folder) / "tree"), keep=None)
        machine.start_machine()
        try:
            return machine.sandbox.shell()
        finally:
            machine.sandbox.stop()


if __name__ == "__main__":
    sys.exit(main())
