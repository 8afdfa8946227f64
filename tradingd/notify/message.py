"""What is sent: the words of one message, cut visibly, ending with the next step."""

import datetime as dt
import re
from typing import Final

import msgspec

from tradingd.domain.alerts import Severity

LONGEST_TITLE: Final = 200
_COMMAND: Final = re.compile(r"\btradingctl (?=[a-z])")
_DELAYED_NS: Final = 120_000_000_000
"""A message that arrives later than this says so."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message on its way; as JSON it is one file of the outbox.

    `routes` are references to the secrets with the addresses, never the addresses. `created` is
    wall time, UTC ns. A `durable` message is tried until it arrives or is a day old.
    """

    id: str
    key: str
    severity: Severity
    title: str
    body: str
    next_step: str
    routes: tuple[str, ...]
    created: int
    durable: bool
    resolved: bool = False


def cut(text: str, most: int) -> str:
    """Return text of at most `most` characters; what was cut off is said."""
    if len(text) <= most:
        return text
    note = f"\n[... cut: {len(text):,} characters in all]"
    if most <= len(note):
        return text[: max(0, most - 1)] + "…"
    return text[: most - len(note)] + note


def cut_title(text: str, most: int = LONGEST_TITLE) -> str:
    """Return one line of at most `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: max(0, most - 1)] + "…"


def of_instance(text: str, instance: str) -> str:
    """Return text whose `tradingctl` commands name the instance; without, they ask another one."""
    if "--instance" in text or "tradingctl -i" in text:
        return text
    return _COMMAND.sub(f"tradingctl -i {instance} ", text)


def compose(message: Message, *, longest: int, now: int) -> str:
    """Return the body as it is sent: when it is late, what happened, what to do next.

    Only what happened is cut; the next step is always there, at the end.
    """
    head = ""
    if now - message.created > _DELAYED_NS:
        then = dt.datetime.fromtimestamp(message.created // 1_000_000_000, dt.UTC)
        head = f"Delayed: this is from {then:%Y-%m-%d %H:%M:%S} UTC.\n"
    tail = f"\nNext: {message.next_step}" if message.next_step else ""
    tail = cut(tail, max(1, longest // 2))
    return (head + cut(message.body, max(1, longest - len(head) - len(tail))) + tail).strip()
