"""A router that runs against loopback servers, fast."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tradingd.config.alerts import AlertsConfig
from tradingd.config.secrets import Secret
from tradingd.domain.alerts import Alert, Severity
from tradingd.notify.router import AlertRouter


class HandClock:
    """Wall time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000_000_000

    def __call__(self) -> int:
        return self.now

    def minutes(self, count: float) -> None:
        self.now += round(count * 60e9)


def make_router(
    outbox: Path,
    urls: Mapping[str, str],
    clock: HandClock | None = None,
    mask: Callable[[str], str] = str,
    **config: object,
) -> AlertRouter:
    """Return a router whose references `env:NAME` resolve to `urls`."""
    return AlertRouter(
        AlertsConfig(**config),  # type: ignore[arg-type]
        instance="paper",
        mode="paper",
        outbox=outbox,
        resolve=lambda reference: Secret(reference, urls[reference]),
        clock=clock or HandClock(),
        mask=mask,
        tick=0.02,
        rest=0.1,
    )


@contextmanager
def running(router: AlertRouter) -> Iterator[AlertRouter]:
    router.start()
    try:
        yield router
    finally:
        router.close(5.0)


def page(key: str = "mismatch", **more: object) -> Alert:
    facts = {"title": "position mismatch", "body": "AAPL: 100 here, 0 there", **more}
    return Alert(key=key, severity=Severity.PAGE, **facts)  # type: ignore[arg-type]


def warn(key: str = "disk", **more: object) -> Alert:
    facts = {"title": "disk is filling up", **more}
    return Alert(key=key, severity=Severity.WARN, **facts)  # type: ignore[arg-type]
