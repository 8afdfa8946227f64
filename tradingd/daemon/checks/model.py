"""The served model: whether it has opinions, and why not."""

from collections.abc import Callable

from tradingd.daemon.checks.check import Finding
from tradingd.domain.health import Grade


class ModelCheck:
    """DEGRADED while a configured model has no opinion; trading goes on by what strategies do then.

    Parameters
    ----------
    state : callable
        Returns (the model or what is configured, why it has no opinion; empty when it has).
    """

    name = "model"
    beats = False
    critical = False

    def __init__(self, state: Callable[[], tuple[str, str]]) -> None:
        self._state = state

    def look(self) -> Finding:
        """Return what is served."""
        model, why = self._state()
        if not why:
            return Finding(grade=Grade.OK, value=model, limit="served, or none configured")
        return Finding(
            grade=Grade.DEGRADED,
            value=f"{model} abstains: {why}",
            limit="served, or none configured",
            action="strategies wait, or trade by their rules, as use_model.when_abstaining says",
            next_step="tradingd model list",
        )
