"""Tell somebody that a systemd unit failed; works when the rest of the product does not.

    python -m tradingd.notify.unit tradingd@paper.service

Run by the unit that ``OnFailure=`` names, with the ``MONITOR_*`` variables of systemd 251 and
later: the unit is down and stays down. ``UNIT:crash`` instead says that it ended and is started
again. Standard library only and Python 3.11, so that it can be installed as a single file and run
by the system's interpreter. One credential file, ``alerts-unit`` or ``alerts``, with an address
per line:

    https://HOST/...                            a web hook; Slack and Discord get their own form
    slack+https://HOST/...                      a hook of Slack's form on another host
    smtps://USER:PASSWORD@HOST:465/?from=A&to=B,C
    smtp://USER:PASSWORD@HOST:587/?from=A&to=B  begins TLS; a password is never sent in clear

Ends with 0 when at least one address was told, 1 when none was, 78 when there is no usable one.
Times are seconds.
"""

import argparse
import base64
import json
import os
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

CRASH: Final = "crash"
"""After the unit's name and a colon: it ended, and systemd starts it again."""

CREDENTIALS: Final = ("alerts-unit", "alerts")
NOBODY_TOLD: Final = 1
CONFIG: Final = 78
"""ExitCode.CONFIG; not imported, so that this program stands alone."""

TRY_SECONDS: Final = 8.0
PAUSES: Final = (1.0, 3.0, 6.0)
"""Between attempts at one address."""

JOURNAL_LINES: Final = 20
LONGEST: Final = 2_500
"""Characters of the message; from the journal's part the oldest lines go first."""

WEB: Final = ("http", "https", "slack+http", "slack+https")
MAIL: Final = ("smtp", "smtps")

REASONS: Final = {
    "exit-code": "it ended with an error",
    "signal": "it was killed by a signal",
    "core-dump": "it crashed",
    "watchdog": "it made no progress and the watchdog killed it",
    "timeout": "it took too long to start or to stop",
    "oom-kill": "it used too much memory",
    "start-limit-hit": "it failed too often; systemd gave up restarting it",
    "resources": "systemd could not set it up",
    "protocol": "it did not speak systemd's protocol",
}
"""Values of $MONITOR_SERVICE_RESULT (systemd.exec)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Send the message; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="tradingd.notify.unit", description=__doc__.split("\n")[0]
    )
    parser.add_argument("unit", nargs="?", default=os.environ.get("MONITOR_UNIT", ""))
    parser.add_argument("--credential", type=Path, help="file with addresses, one a line")
    parser.add_argument("--seconds", type=float, default=45.0, help="time for everything")
    options = parser.parse_args(arguments)
    addresses, troubles = read_addresses(options.credential or credential_file(os.environ))
    for trouble in troubles:
        say(trouble)
    if not addresses:
        say(f"nobody can be told that {options.unit or 'a unit'} failed: no address in the "
            f"credential {CREDENTIALS[0]}")  # fmt: skip
        return CONFIG
    unit, _, occasion = options.unit.partition(":")
    lines = journal_lines(unit, os.environ)
    title, body = compose(unit, os.environ, lines, again=occasion == CRASH)
    told = tell(addresses, title, body, unit, options.seconds)
    say(f"told {told} of {len(addresses)}: {title}")
    return 0 if told else NOBODY_TOLD


def say(text: str) -> None:
    """Write a line to the journal of this unit."""
    sys.stderr.write(text + "\n")


def credential_file(environment: Mapping[str, str]) -> Path | None:
    """Return the credential that systemd passed, if any."""
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return None
    files = [Path(folder) / name for name in CREDENTIALS]
    return next((file for file in files if file.exists()), files[0])


def read_addresses(path: Path | None) -> tuple[list[str], list[str]]:
    """Return the usable addresses of a file, and what is wrong with the other lines.

    Lines are named by number; what they hold is a secret.
    """
    if path is None:
        return [], ["$CREDENTIALS_DIRECTORY is not set: run by systemd, or give --credential"]
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return [], [f"the credential {path} cannot be read: {type(error).__name__}"]
    addresses, troubles = [], []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        wrong = fault_of(text)
        if wrong:
            troubles.append(f"{path}:{number} {wrong}")
        else:
            addresses.append(text)
    return addresses, troubles


def fault_of(address: str) -> str:
    """Return what is wrong with an address, empty when it can be tried."""
    try:
        parts = urllib.parse.urlsplit(address)
        _ = parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in WEB + MAIL:
        return f"must begin with one of {', '.join(f'{one}://' for one in WEB + MAIL)}"
    if not parts.hostname:
        return "names no host"
    if parts.scheme in MAIL and not dict(urllib.parse.parse_qsl(parts.query)).get("to"):
        return "names no receiver: add ?to=ADDRESS"
    return ""


def compose(
    unit: str, environment: Mapping[str, str], lines: Sequence[str], *, again: bool = False
) -> tuple[str, str]:
    """Return title and body: what failed, why, the last lines of its journal, what to do.

    `again`: systemd starts it again by itself.
    """
    # ExecStopPost= knows the same facts by shorter names.
    result, code, status = (
        environment.get(f"MONITOR_{name}") or environment.get(name, "")
        for name in ("SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS")
    )
    instance = unit.partition("@")[2].removesuffix(".service")
    head = [
        f"{unit} on {socket.gethostname()} failed: {REASONS.get(result, result or 'unknown why')}.",
        f"Result {result or '?'}, {code or 'exit'} {status or '?'}.",
        "systemd starts it again." if again else "It is down and stays down.",
    ]
    if unit.startswith("tradingd@"):
        head.append(
            "Orders and positions are where they were; until it runs again, nothing manages them."
        )
    tail = f"Next: {f'journalctl -u {unit} -n 200' if again else next_step(unit, instance, status)}"
    room = LONGEST - sum(map(len, head)) - len(tail) - 40
    shown: list[str] = []
    for line in reversed(lines):
        room -= len(line) + 1
        if room < 0:
            shown.insert(0, "[... earlier lines cut]")
            break
        shown.insert(0, line)
    journal = ["", *shown, ""] if shown else [""]
    what = "CRASHED" if again else "FAILED"
    return f"{unit} {what} ({result or 'unknown'})", "\n".join([*head, *journal, tail])


def next_step(unit: str, instance: str, status: str) -> str:
    """Return what a person should do now."""
    look = f"journalctl -u {unit} -n 200"
    if not unit.startswith("tradingd@"):
        return look
    if status == str(CONFIG):
        return f"{look}; correct the configuration, then systemctl start {unit}"
    return (
        f"{look}; check the positions at the broker (tradingd kill --instance {instance} "
        f"flattens them); then systemctl reset-failed {unit} && systemctl start {unit}"
    )


def journal_lines(unit: str, environment: Mapping[str, str]) -> list[str]:
    """Return the last lines of the unit's journal; empty where it cannot be read."""
    command = ["journalctl", "--no-pager", "-q", "-o", "short-iso", "-n", str(JOURNAL_LINES)]
    invocation = environment.get("MONITOR_INVOCATION_ID")
    command += [f"_SYSTEMD_INVOCATION_ID={invocation}"] if invocation else ["-u", unit]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; systemd gives the unit's name
            command, capture_output=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.decode(errors="replace").splitlines() if done.returncode == 0 else []


def tell(addresses: Sequence[str], title: str, body: str, unit: str, seconds: float) -> int:
    """Send to every address at once; return how many took it before the time was over."""
    end = time.monotonic() + seconds
    told: list[int] = []

    def work(number: int, address: str) -> None:
        if send(number, address, title, body, unit, end):
            told.append(number)

    # A thread each, so that a host that swallows everything keeps nobody else from hearing.
    threads = [
        threading.Thread(target=work, args=(number, address), daemon=True)
        for number, address in enumerate(addresses, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return len(told)


def send(number: int, address: str, title: str, body: str, unit: str, end: float) -> bool:
    """Try one address until it takes the message or time is up."""
    parts = urllib.parse.urlsplit(address)
    place = f"address {number} ({parts.scheme}://{parts.hostname})"
    for pause in (*PAUSES, 0.0):
        limit = min(TRY_SECONDS, end - time.monotonic())
        if limit <= 0:
            break
        try:
            if parts.scheme in MAIL:
                mail(parts, title, body, limit)
            else:
                post(parts, title, body, unit, limit)
        except Exception as error:  # noqa: BLE001 - the other addresses are tried whatever happens
            # The text of an error may hold the address: only its kind is shown.
            code = getattr(error, "code", None) or getattr(error, "smtp_code", "")
            say(f"{place}: {type(error).__name__} {code}".rstrip())
            time.sleep(max(0.0, min(pause, end - time.monotonic())))
        else:
            return True
    return False


def post(parts: urllib.parse.SplitResult, title: str, body: str, unit: str, limit: float) -> None:
    """Post to a web hook."""
    scheme = parts.scheme.removeprefix("slack+")
    login, _, place = parts.netloc.rpartition("@")
    headers = {"Content-Type": "application/json", "User-Agent": "tradingd"}
    if login:
        code = base64.b64encode(urllib.parse.unquote(login).encode()).decode()
        headers["Authorization"] = f"Basic {code}"
    request = urllib.request.Request(  # noqa: S310 - the scheme is http or https
        urllib.parse.urlunsplit(parts._replace(scheme=scheme, netloc=place)),
        data=json.dumps(payload(parts, title, body, unit)).encode(),
        headers=headers,
    )
    with urllib.request.urlopen(request, timeout=limit) as answer:  # noqa: S310
        answer.read(1_024)


def payload(parts: urllib.parse.SplitResult, title: str, body: str, unit: str) -> dict[str, Any]:
    """Return the JSON that the kind of hook understands."""
    host = parts.hostname or ""
    text = f"*{title}*\n{body}"
    if parts.scheme.startswith("slack+") or host.endswith("slack.com"):
        return {"text": text}
    if host.endswith(("discord.com", "discordapp.com")):
        return {"content": text[:1_990]}
    return {"title": title, "message": body, "text": text, "type": "failure", "unit": unit}


def mail(parts: urllib.parse.SplitResult, title: str, body: str, limit: float) -> None:
    """Hand a message to a mail server; log in only where nobody can listen."""
    query = dict(urllib.parse.parse_qsl(parts.query))
    host, user = parts.hostname or "", urllib.parse.unquote(parts.username or "")
    message = EmailMessage()
    message["Subject"] = title
    message["To"] = query["to"]
    message["From"] = query.get("from") or (user if "@" in user else f"tradingd@{host}")
    message.set_content(body)
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=limit, context=context
        )
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=limit)
    with server:
        server.ehlo()
        secret = parts.scheme == "smtps"
        if not secret and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
            secret = True
        if user:
            if not secret and host not in ("127.0.0.1", "::1", "localhost"):
                raise ValueError("the server offers no TLS: the password is not sent")
            server.login(user, urllib.parse.unquote(parts.password or ""))
        server.send_message(message)


if __name__ == "__main__":
    sys.exit(main())
