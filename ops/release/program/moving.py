"""Move instances between releases; go back when the new one is ill."""

import argparse
import json
import sys
import time
from pathlib import Path

from asking import active, ask, last, say, show, systemctl
from folders import Site, named, target
from refusal import REFUSED, Refusal


def switch(site: Site, options: argparse.Namespace) -> None:
    """Move the links; what runs goes on with the release it was started from."""
    site.release(options.release)
    for instance in named(options.instances):
        site.choose(instance, options.release)
        say(f"{instance} -> {options.release}, at its next start")


def upgrade(site: Site, options: argparse.Namespace) -> None:
    """Check every instance with the new release first; then one instance after the other."""
    release = site.release(options.release)
    instances = named(options.instances or site.configured())
    for instance in instances:
        _check(release, instance)
    for instance in instances:
        _refuse_in_session(site, instance, options)
    for instance in instances:
        _move(site, instance, options.release, options.healthy)


def rollback(site: Site, options: argparse.Namespace) -> None:
    """Go back to the release before, and watch that too."""
    for instance in named(options.instances):
        before = site.before(instance)
        if before is None:
            raise Refusal(f"{instance} had no release before", where=site.previous / instance)
        _check(site.release(before), instance)
        _refuse_in_session(site, instance, options)
        _move(site, instance, before, options.healthy)


def _check(release: Path, instance: str) -> None:
    said = ask(release / "bin/tradingd", "config", "check", "--instance", instance)
    if said.returncode != 0:
        raise Refusal(
            f"{release.name} refuses the configuration of {instance}: {last(said.stderr)}",
            next_step="nothing was changed; mend the configuration and run this again",
        )
    say(f"{instance}: {release.name} accepts its configuration")


def _refuse_in_session(site: Site, instance: str, options: argparse.Namespace) -> None:
    """Restart nothing in an open market unless told to; a daemon that is down may be restarted."""
    if options.now or not active(instance):
        return
    said = ask(site.instances / instance / "bin/tradingctl", "-i", instance, "status", "--json")
    try:
        is_open = said.returncode != 0 or bool(json.loads(said.stdout)["session_open"])
    except (ValueError, KeyError):
        is_open = True
    if is_open:
        raise Refusal(
            f"{instance} runs in an open market, or does not say whether it is open",
            next_step="wait for the close, or add --now",
            code=REFUSED,
        )


def _move(site: Site, instance: str, version: str, healthy: float) -> None:
    """Switch, restart when it ran, watch; on trouble go back to the release it came from."""
    before = site.chosen(instance)
    ran = active(instance)
    site.choose(instance, version)
    if not ran:
        say(f"{instance} -> {version}; it does not run, so there is nothing to restart")
        return
    say(f"{instance} -> {version}, restarting")
    trouble = _restart_and_watch(site, instance, healthy)
    if not trouble:
        say(f"{instance}: {version} is READY and stayed healthy for {healthy:g} s")
        return
    if before is None or before == version:
        raise Refusal(
            f"{instance}: {version} is ill: {trouble}", next_step="journalctl -u tradingd@"
        )
    say(f"{instance}: {version} is ill: {trouble}; going back to {before}")
    site.choose(instance, before)
    again = _restart_and_watch(site, instance, min(healthy, 10.0))
    if again:
        raise Refusal(
            f"{instance}: {version} is ill ({trouble}) and {before} does not come back: {again}",
            next_step=f"journalctl -u tradingd@{instance}; tradingd kill --instance {instance}",
        )
    raise Refusal(
        f"{instance}: {version} is ill: {trouble}; rolled back to {before}, which is READY",
        next_step=f"journalctl -u tradingd@{instance}",
    )


def _restart_and_watch(site: Site, instance: str, healthy: float) -> str:
    """Restart (READY or not: systemd waits), then look for a while; return what is wrong."""
    unit = f"tradingd@{instance}.service"
    units = (unit, f"tradingd@{instance}.socket")
    systemctl("reset-failed", *units)
    said = systemctl("restart", unit)
    if said.returncode != 0:
        return f"it did not become READY ({last(said.stderr)})"
    began = show(unit, "InvocationID")
    end = time.monotonic() + healthy
    while True:
        if not active(instance):
            return f"it is {show(unit, 'ActiveState')}"
        if show(unit, "InvocationID") != began:
            return "it was restarted while it was watched"
        control = site.instances / instance / "bin/tradingctl"
        health = ask(control, "-i", instance, "health", "--json")
        if time.monotonic() >= end:
            return "" if health.returncode == 0 else f"health: {last(health.stderr)}"
        time.sleep(min(1.0, max(0.05, healthy / 10)))


def show_all(site: Site, options: argparse.Namespace) -> None:
    """Say what is installed and who uses it."""
    users: dict[str | None, list[str]] = {}
    for link in sorted(site.instances.glob("*")):
        users.setdefault(target(link), []).append(link.name)
    current = target(site.current)
    for version in site.versions():
        marks = [*users.get(version, []), *(["command line"] if version == current else [])]
        sys.stdout.write(f"{version}\t{', '.join(marks) or '-'}\n")
