"""Limits of the gate that an operator overrides for a while."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from tradingd.config.risk import RiskConfig
from tradingd.control.answers import LimitView
from tradingd.domain.market import NANOSECONDS
from tradingd.gate.gate import Gate
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

_MINUTE: Final = 60 * NANOSECONDS

_LIMITS: Final = tuple(
    name for name in RiskConfig.__struct_fields__ if name not in ("profile", "intraday_margin_from")
)
"""What can be overridden for a while: a profile's name and a broker's date are no limits."""


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """One limit that is overridden until `expires` (wall time, UTC ns)."""

    key: str
    value: float | int | bool | str
    expires: int


class LimitOverrides:
    """The configured limits with the overrides in force on top.

    Parameters
    ----------
    gate : Gate
        Takes the limits.
    configured : RiskConfig
        What the configuration says.
    wall : Callable
        Wall time, UTC ns.
    save : Callable
        Keeps the overrides for a restart.
    """

    def __init__(
        self,
        gate: Gate,
        configured: RiskConfig,
        wall: Callable[[], int],
        save: Callable[[bytes], None],
    ) -> None:
        self._gate = gate
        self._configured = configured
        self._wall = wall
        self._save = save
        self._overrides: dict[str, Override] = {}

    @property
    def configured(self) -> RiskConfig:
        """The configuration's limits, overrides apart."""
        return self._configured

    def restore(self, saved: bytes) -> None:
        """Put overrides of an earlier process in force again, expired ones apart."""
        kept = msgspec.json.decode(saved, type=list[Override]) if saved else []
        now = self._wall()
        self._overrides = {one.key: one for one in kept if one.expires > now}
        self._apply()

    def configure(self, configured: RiskConfig) -> None:
        """Take a reloaded configuration; overrides stay on top until they expire."""
        self._configured = configured
        self._apply()

    def set(self, key: str, value: str, minutes: int) -> tuple[str, str]:
        """Override a limit for so many minutes; return (old, new) as text.

        Raises
        ------
        Failure
            REFUSED for an unknown limit or a value its type does not take.
        """
        key = key.removeprefix("risk.")
        new, old = self._converted(key, value), getattr(self._gate.limits, key)
        expires = self._wall() + minutes * _MINUTE
        self._overrides[key] = Override(key=key, value=new, expires=expires)
        self._apply()
        self._store()
        return _text(old), _text(new)

    def expire(self) -> list[str]:
        """Drop overrides whose time is over; return their keys."""
        now = self._wall()
        gone = [key for key, one in self._overrides.items() if one.expires <= now]
        for key in gone:
            del self._overrides[key]
        if gone:
            self._apply()
            self._store()
        return gone

    def views(self) -> Sequence[LimitView]:
        """Return every limit with its value, override and counts."""
        counts = self._gate.count()
        return [
            LimitView(
                key=field,
                value=_text(getattr(self._gate.limits, field)),
                configured=_text(getattr(self._configured, field)),
                expires=self._overrides[field].expires if field in self._overrides else None,
                checked=counts.get(field, (0, 0))[0],
                denied=counts.get(field, (0, 0))[1],
            )
            for field in _LIMITS
        ]

    def _converted(self, key: str, value: str) -> Any:
        if key not in _LIMITS:
            close = nearest(key, _LIMITS)
            raise Failure(
                "there is no such limit",
                code=ExitCode.REFUSED,
                where="limits",
                expected="" if close else "one of " + ", ".join(_LIMITS),
                found=key,
                next_step=f"did you mean {close}?" if close else "tradingctl limits list",
            )
        tree = {**msgspec.to_builtins(self._gate.limits), key: value}
        try:
            return getattr(msgspec.convert(tree, RiskConfig, strict=False), key)
        except msgspec.ValidationError as error:
            raise Failure(
                "the limit does not take this value",
                code=ExitCode.REFUSED,
                where=f"risk.{key}",
                expected=str(error),
                found=value,
            ) from error

    def _apply(self) -> None:
        values: dict[str, Any] = {one.key: one.value for one in self._overrides.values()}
        self._gate.set_limits(msgspec.structs.replace(self._configured, **values))

    def _store(self) -> None:
        self._save(msgspec.json.encode(list(self._overrides.values())))


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
