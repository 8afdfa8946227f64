"""Run other programs and say what they said."""

import subprocess
import sys
from pathlib import Path

from refusal import Refusal


def active(instance: str) -> bool:
    """Tell whether the daemon of an instance runs."""
    return systemctl("is-active", "--quiet", f"tradingd@{instance}.service").returncode == 0


def show(unit: str, name: str) -> str:
    """Return one property of a unit."""
    return systemctl("show", "--value", "-P", name, unit).stdout.strip()


def systemctl(*words: str) -> subprocess.CompletedProcess[str]:
    """Run systemctl; a restart may take as long as the unit allows."""
    return ask("systemctl", *words, timeout=300)


def ask(program: str | Path, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a program and return what it said; a program that cannot be run ended with 127."""
    command = [str(program), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return subprocess.CompletedProcess(command, 127, "", f"{program}: {error}")


def run(*command: str, env: dict[str, str]) -> None:
    """Run a step that must succeed."""
    said = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if said.returncode != 0:
        raise Refusal(
            f"a step of the build failed: {' '.join(command)}", next_step=last(said.stderr)
        )


def last(text: str) -> str:
    """Return the last line somebody said."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it left no message"


def say(text: str) -> None:
    """Tell a person what was done."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
