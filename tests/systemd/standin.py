#!/usr/bin/python3
"""A daemon in miniature, to test the units without the product; standard library only.

Installed as bin/tradingd and bin/tradingctl of a release. /etc/tradingd/INSTANCE.yaml tells it
how to behave, one KEY: VALUE a line:

    exit: CODE         ends at once with that code
    crash: yes         becomes READY, then kills itself
    mute: yes          becomes READY, never sends a heartbeat
    refuse: VERSION    this version refuses the configuration
    ill: VERSION       this version becomes READY and says it is not healthy
"""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

VERSION = Path(sys.argv[0]).resolve().parents[1].name


def settings(instance: str) -> dict[str, str]:
    root = os.environ.get("TRADINGD_ROOT", "")
    lines = Path(f"{root}/etc/tradingd/{instance}.yaml").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def notify(text: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])


def run(instance: str) -> int:
    told = settings(instance)
    if "exit" in told:
        return int(told["exit"])
    state = Path("/var/lib/tradingd") / instance
    (state / "endpoint.json").write_text(
        json.dumps(
            {"kind": "simulated", "account": f"SIM-{instance}", "socket": f"{state}/simbroker.sock"}
        )
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    control = socket.socket(fileno=3)
    control.settimeout(0.2)
    notify(f"READY=1\nSTATUS=RUNNING, release {VERSION}")
    if told.get("crash"):
        os.kill(os.getpid(), signal.SIGKILL)
    while True:
        if not told.get("mute"):
            notify("WATCHDOG=1")
        try:
            peer, _ = control.accept()
        except TimeoutError:
            continue
        with peer:
            peer.recv(100)
            try:
                told = settings(instance)
                answer = b"no" if told.get("bad") else b"ok"
            except OSError:
                answer = b"no"
            peer.sendall(answer)


def control(instance: str, verb: str) -> int:
    told = settings(instance)
    if verb == "status":
        print(json.dumps({"session_open": bool(told.get("open"))}))
        return 0
    if verb == "health":
        return 1 if told.get("ill") == VERSION else 0
    end = time.monotonic() + 5
    while time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(f"/run/tradingd/{instance}.sock")
                client.sendall(b"reload")
                return 0 if client.recv(10) == b"ok" else 78
            except (ConnectionResetError, BrokenPipeError):
                time.sleep(0.1)
    return 50


def main(words: list[str]) -> int:
    match words:
        case ["--version"]:
            print(f"tradingd {VERSION}")
            return 0
        case ["run", "--instance", instance]:
            return run(instance)
        case ["config", "check", "--instance", instance]:
            if settings(instance).get("refuse") == VERSION:
                print("tradingd: not this one", file=sys.stderr)
                return 78
            return 0
        case ["kill", "--instance", *_]:
            python = "/opt/tradingd/releases/under-test/bin/tradingd"
            os.execv(python, [python, *words])
        case ["-i", instance, verb, *_]:
            return control(instance, verb)
        case ["calendar", "is-session", "--day", _]:
            return int(Path("/etc/tradingd/calendar-answer").read_text())
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
