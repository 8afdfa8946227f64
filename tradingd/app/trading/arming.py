"""Arming as a session does it: who armed it is told, and what was opened unarmed is taken back."""

from collections.abc import Callable

from tradingd.domain.orders import Purpose
from tradingd.domain.trading import OrderShim
from tradingd.gate.arming import Arming, ArmToken


class ArmingDesk:
    """Arms, disarms, and sees to it that unarmed no entry goes on working at the broker.

    Parameters
    ----------
    arming : Arming
        What the shim asks.
    shim : OrderShim
        Where entries are taken back.
    tell : Callable
        Hears (kind, text) of every change.
    audit : Callable
        Keeps a change that no request asked for: an end by time, clock or configuration.
    """

    def __init__(
        self,
        arming: Arming,
        shim: OrderShim,
        tell: Callable[[str, str], object],
        audit: Callable[[str], object] = lambda text: None,
    ) -> None:
        self._arming = arming
        self._shim = shim
        self._tell = tell
        self._audit = audit

    @property
    def armed(self) -> bool:
        """Whether a token allows opening positions now."""
        return self._arming.armed

    async def arm(self, *, account: str, minutes: int, author: str, reason: str) -> ArmToken:
        """Arm, once it is on disk.

        Raises
        ------
        Failure
            As `Arming.arm`.
        """
        token = await self._arming.arm(
            account=account, minutes=minutes, author=author, reason=reason
        )
        self._tell("arming", f"ARMED for {minutes} minutes by {author}: {reason}")
        return token

    async def disarm(self, *, author: str, reason: str) -> bool:
        """End it at once, then keep that; True when it was armed."""
        was = self._arming.armed
        kept = self._arming.disarm(f"disarmed by {author}: {reason}")
        self.look()
        self._tell("arming", f"DISARMED by {author}: {reason}")
        await kept
        return was

    def config_changed(self, config_hash: str) -> None:
        """Disarm where the configuration is another one now."""
        if self._arming.config_changed(config_hash):
            self._ended("the configuration changed")
        self.look()

    def look(self) -> None:
        """End what is over, and take entries back that nobody allows any more."""
        ended = self._arming.ended()
        if ended:
            self._ended(ended)
        why = self._arming.refusal()
        if why is None:
            return
        for row in self._shim.open_orders():
            if row.purpose == Purpose.ENTRY and not row.cancel_asked:
                self._shim.cancel(row.order_id, reason=why)

    def _ended(self, why: str) -> None:
        self._tell("arming", f"DISARMED: {why}")
        self._audit(f"disarmed: {why}")
