"""Python, packages, threads: what the code runs on."""

import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tradingd.app.doctor.check import Check

PYTHON: Final = (3, 13)

MODULES: Final = (
    "nautilus_trader",
    "hydra",
    "omegaconf",
    "msgspec",
    "duckdb",
    "pyarrow",
    "numpy",
    "pandas",
    "exchange_calendars",
    "plotly",
    "rich",
    "ray",
    "lightgbm",
    "ib_async",
    "alpaca",
    "databento",
)
"""Import names of what the product needs; only looked up, never imported."""

THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_PINNED: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)


def python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Check:
    """Compare the interpreter with the one release line that is tested."""
    found = ".".join(map(str, version))
    if version[:2] == PYTHON:
        return Check(name="python", status="ok", detail=found, critical=True)
    return Check(
        name="python",
        status="fail",
        detail=f"{found}, but only 3.13 is supported",
        next_step="make clean run builds .venv with CPython 3.13",
        critical=True,
    )


def modules(names: tuple[str, ...] = MODULES) -> Check:
    """Look for every needed module without importing it."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if not missing:
        return Check(
            name="modules", status="ok", detail=f"all {len(names)} are importable", critical=True
        )
    return Check(
        name="modules",
        status="fail",
        detail="not importable: " + ", ".join(missing),
        next_step="make setup installs the lock",
        critical=True,
    )


def lock(file: Path) -> Check:
    """Compare installed versions with the lock, where the installation has one beside it."""
    if not file.is_file():
        return Check(
            name="package versions",
            status="unknown",
            detail=f"there is no {file.name} beside this installation",
        )
    wanted = pinned(file.read_text(encoding="utf-8"))
    different = differing(wanted, installed())
    if not different:
        return Check(
            name="package versions", status="ok", detail=f"all as in {file.name} ({len(wanted)})"
        )
    shown = "; ".join(different[:4]) + (" ..." if len(different) > 4 else "")
    return Check(
        name="package versions",
        status="warn",
        detail=f"{len(different)} differ: {shown}",
        next_step="make setup installs the lock",
    )


def pinned(text: str) -> dict[str, str]:
    """Return name -> version of a requirements lock; names normalised (PEP 503)."""
    return {_normal(match["name"]): match["version"] for match in _PINNED.finditer(text)}


def installed() -> dict[str, str]:
    """Return name -> version of every installed distribution."""
    return {
        _normal(one.metadata["Name"]): one.version for one in importlib.metadata.distributions()
    }


def differing(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """List installed packages whose version is not the locked one.

    A locked package that is absent is no difference: markers exclude some on this platform, and
    what is really needed is looked up by `modules`.
    """
    return [
        f"{name} {found[name]}, locked {version}"
        for name, version in sorted(wanted.items())
        if name in found and found[name] != version
    ]


def threads(environment: Mapping[str, str], cores: int) -> Check:
    """Say how many threads numeric libraries may start; more than cores only spin."""
    stated = {name: environment[name] for name in THREADS if environment.get(name)}
    greedy = [name for name, text in stated.items() if text.isdigit() and int(text) > cores]
    if greedy:
        return Check(
            name="threads",
            status="warn",
            detail=f"{', '.join(greedy)} above {cores} cores: numeric libraries will spin",
            next_step=f"export {greedy[0]}={cores}",
        )
    shown = ", ".join(f"{name}={text}" for name, text in stated.items())
    return Check(
        name="threads",
        status="ok",
        detail=shown or f"libraries choose ({cores} cores); sweeps use 1",
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
