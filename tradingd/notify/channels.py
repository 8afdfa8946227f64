"""One address that messages are sent to; the only module that knows apprise.

Sending blocks: apprise sleeps between messages (Slack 1.2 s, e-mail 5.5 s), so each channel is
used by one thread of its own.
"""

import logging
import re
from typing import Final, Protocol

import apprise

from tradingd.config.secrets import Secret
from tradingd.domain.alerts import Severity
from tradingd.kits.failure import ExitCode, Failure
from tradingd.notify.message import Message, compose, cut_title

_log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 4.0
READ_SECONDS: Final = 8.0
"""A black hole costs at most this; apprise's own defaults wait 15 s for a mail server."""

_TYPES: Final = {
    Severity.INFO: apprise.NotifyType.INFO,
    Severity.TRADE: apprise.NotifyType.INFO,
    Severity.WARN: apprise.NotifyType.WARNING,
    Severity.PAGE: apprise.NotifyType.FAILURE,
}


class Channel(Protocol):
    """Where messages go."""

    @property
    def name(self) -> str:
        """The reference to its address, which may be shown."""
        ...

    def send(self, message: Message, *, longest: int, now: int) -> bool:
        """Send now, blocking; False when it did not arrive for sure."""
        ...


class AppriseChannel:
    """A channel behind an apprise URL.

    Parameters
    ----------
    name : str
        The reference that the URL came from.
    plugin : apprise.NotifyBase
        The service.
    """

    def __init__(self, name: str, plugin: apprise.NotifyBase) -> None:
        self.name = name
        self._plugin = plugin

    def send(self, message: Message, *, longest: int, now: int) -> bool:
        """Send one message, cut to what the service takes."""
        room = self._plugin.body_maxlen
        title_room = self._plugin.title_maxlen
        title = cut_title(message.title, *((title_room,) if title_room else ()))
        if not title_room:  # the service has no titles: apprise puts them into the body
            room -= len(title) + 8
        kind = apprise.NotifyType.SUCCESS if message.resolved else _TYPES[message.severity]
        try:
            return bool(
                self._plugin.notify(
                    title=title,
                    body=compose(message, longest=min(longest, room), now=now),
                    notify_type=kind,
                )
            )
        except Exception as error:  # noqa: BLE001 - whatever a service's plugin raises, we go on
            _log.warning("alert route %s raised %s", self.name, type(error).__name__)
            return False


def open_channel(secret: Secret) -> AppriseChannel:
    """Return the channel of an apprise URL; nothing is sent and nobody is connected to.

    Raises
    ------
    Failure
        CONFIG when apprise does not understand the URL; the value is never shown.
    """
    url = secret.reveal().strip()
    log = logging.getLogger("apprise")
    muted, log.disabled = log.disabled, True  # it would print the URL
    try:
        plugin = apprise.Apprise.instantiate(url) if len(url.split()) == 1 else None
    finally:
        log.disabled = muted
    if plugin is None:
        raise Failure(
            f"the secret {secret.label} holds no URL that an alert can be sent to",
            code=ExitCode.CONFIG,
            where=secret.label,
            expected="one apprise URL, e.g. slack://TOKEN_A/TOKEN_B/TOKEN_C or "
            "mailtos://USER:PASSWORD@HOST?to=ADDRESS",
            found=_described(url),
            next_step="see https://github.com/caronc/apprise/wiki for the form of each service",
        )
    plugin.socket_connect_timeout = min(plugin.socket_connect_timeout, CONNECT_SECONDS)
    plugin.socket_read_timeout = min(plugin.socket_read_timeout, READ_SECONDS)
    return AppriseChannel(secret.label, plugin)


def _described(url: str) -> str:
    """Say what is wrong without showing it; only a scheme that apprise knows is named."""
    if len(url.split()) != 1:
        return "several words or lines"
    match = re.match(r"([a-z0-9]{2,20})://", url, re.IGNORECASE)
    if match is None:
        return "text without a scheme (SCHEME://...)"
    schemes = {
        scheme
        for service in apprise.Apprise().details()["schemas"]
        for part in ("protocols", "secure_protocols")
        for scheme in service[part] or ()
    }
    scheme = match[1].lower()
    return f"an incomplete {scheme}:// URL" if scheme in schemes else "a scheme apprise lacks"
