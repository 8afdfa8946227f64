"""Arming: a live session opens nothing unless a person allowed it, on purpose and for a while.

Pure and clocked. Looser waits for the disk, stricter does not: a token is in force once it is kept,
and out of force before its end is written.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from tradingd.domain.market import NANOSECONDS
from tradingd.kits.failure import ExitCode, Failure

ARMING: Final = "arming"
"""Journal mark that keeps the token over a restart; empty: not armed."""

_MINUTE: Final = 60 * NANOSECONDS


class ArmToken(msgspec.Struct, frozen=True, kw_only=True):
    """Who allowed which account to be traded with which configuration; wall times in UTC ns."""

    account: str
    config_hash: str
    since: int
    expires: int
    author: str
    reason: str


class Arming:
    """Whether a live session may open positions now.

    A token is worth nothing for another account, another configuration, from its expiry on, and
    before the moment it was given (a clock that was set back must not make it last longer).

    Parameters
    ----------
    live : bool
        False in paper and in shadow mode, where nothing has to be armed.
    account : str
        The account that the broker answered with.
    config_hash : str
        Hash of the configuration in force.
    longest_minutes : int
        What `arm` gives at most.
    wall : Callable
        Wall time, UTC ns.
    save : Callable
        Keeps a text over a restart (journal mark `ARMING`): queued in the order of the calls when
        it returns, on disk when what it returned has been awaited.
    """

    def __init__(
        self,
        *,
        live: bool,
        account: str,
        config_hash: str,
        longest_minutes: int,
        wall: Callable[[], int],
        save: Callable[[str], Awaitable[None]],
    ) -> None:
        self.live = live
        self.account = account
        self._config_hash = config_hash
        self._longest = longest_minutes
        self._wall = wall
        self._save = save
        self._token: ArmToken | None = None
        self._why = "it has not been armed"
        self._changes = 0

    # -- asking ----------------------------------------------------------------------------------

    @property
    def armed(self) -> bool:
        """True while a valid token is in force; False in paper."""
        return self._valid(self._token)

    @property
    def expires(self) -> int:
        """When the token in force ends (wall time, UTC ns); 0 without one."""
        token = self._token
        return token.expires if token is not None and self._valid(token) else 0

    @property
    def token(self) -> ArmToken | None:
        """The token in force."""
        return self._token if self.armed else None

    def refusal(self) -> str | None:
        """Return why nothing may be opened; None in paper and while armed."""
        if not self.live or self.armed:
            return None
        return f"NOT ARMED, nothing is opened: {self._invalid(self._token) or self._why}"

    # -- changing --------------------------------------------------------------------------------

    def restore(self, saved: str) -> None:
        """Take the token of an earlier process, if it still holds for this one."""
        if not self.live or not saved:
            return
        try:
            token = msgspec.json.decode(saved, type=ArmToken)
        except msgspec.DecodeError:
            self.disarm("what was kept of an earlier arming cannot be read")
            return
        why = self._invalid(token)
        if why:
            self.disarm(why)
        else:
            self._token = token

    async def arm(self, *, account: str, minutes: int, author: str, reason: str) -> ArmToken:
        """Allow increases for so many minutes, once that is on disk.

        Raises
        ------
        Failure
            NOT_ARMED in paper, for another account, for longer than allowed, and where a disarm
            came while the token was being written; what `save` raises. Nothing is armed then, and
            a token that was in force before stays.
        """
        self._demand(account, minutes)
        since = self._wall()
        token = ArmToken(
            account=account,
            config_hash=self._config_hash,
            since=since,
            expires=since + minutes * _MINUTE,
            author=author,
            reason=reason,
        )
        before = self._changes
        await self._save(msgspec.json.encode(token).decode())
        if self._changes != before:
            raise _overtaken(self._why)
        self._changes += 1
        self._token = token
        return token

    def disarm(self, why: str) -> Awaitable[None]:
        """End arming at once; the awaitable ends when a restart knows it, too."""
        self._token = None
        self._why = why
        self._changes += 1
        return self._save("")

    def config_changed(self, config_hash: str) -> bool:
        """Take another configuration; True when that ended a token."""
        if config_hash == self._config_hash:
            return False
        self._config_hash = config_hash
        was = self._token is not None
        # Also without a token: one may be on its way to the disk.
        self.disarm("the configuration changed since it was armed")
        return was

    def ended(self) -> str:
        """Return why a token has just ended by itself, once; empty otherwise."""
        why = self._invalid(self._token) if self._token is not None else ""
        if why:
            self.disarm(why)
        return why

    # -- private ---------------------------------------------------------------------------------

    def _valid(self, token: ArmToken | None) -> bool:
        return self.live and token is not None and not self._invalid(token)

    def _invalid(self, token: ArmToken | None) -> str:
        """Return why a token is worth nothing now; empty for a good one, and for none."""
        if token is None:
            return ""
        if token.account != self.account:
            return f"it was armed for account {token.account}, this is {self.account}"
        if token.config_hash != self._config_hash:
            return "the configuration changed since it was armed"
        now = self._wall()
        if now >= token.expires:
            return "the time it was armed for is over"
        if now < token.since:
            return "the clock was set back since it was armed"
        return ""

    def _demand(self, account: str, minutes: int) -> None:
        if not self.live:
            raise nothing_to_arm()
        if account != self.account:
            raise Failure(
                "this instance trades another account",
                code=ExitCode.NOT_ARMED,
                where="account",
                expected=self.account,
                found=account or "none",
                next_step="tradingctl status shows the account; is this the right instance?",
            )
        if not 1 <= minutes <= self._longest:
            raise Failure(
                "it cannot be armed for that long",
                code=ExitCode.NOT_ARMED,
                where="minutes",
                expected=f"1 to {self._longest} (mode.arm_minutes)",
                found=str(minutes),
                next_step=f"--minutes {self._longest}, and arm again when that is over",
            )


def nothing_to_arm() -> Failure:
    """Return the refusal of a paper instance, and of one in shadow mode."""
    return Failure(
        "only a live instance is armed; with simulated money or nothing sent there is no need",
        code=ExitCode.NOT_ARMED,
        where="mode",
        expected="live, not in shadow",
        found="paper or shadow",
        next_step="nothing is to be done, or name the live instance with -i",
    )


def _overtaken(why: str) -> Failure:
    return Failure(
        "it was disarmed while it was being armed",
        code=ExitCode.NOT_ARMED,
        where="arming",
        expected="no change of configuration and no disarm meanwhile",
        found=why,
        next_step="tradingctl status; then arm again",
    )
