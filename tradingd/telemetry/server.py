"""Serve the numbers on the event loop: /metrics, /live, /ready."""

import asyncio
import errno
import logging
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web

from tradingd.domain.health import Grade, Reading
from tradingd.kits.failure import ExitCode, Failure
from tradingd.telemetry.metrics import CONTENT_TYPE, Metrics

_log = logging.getLogger(__name__)

_BUSY: Final = (errno.EADDRINUSE,)


def _nothing() -> Sequence[Reading]:
    return ()


def _yes() -> bool:
    return True


class MetricsServer:
    """An HTTP server for Prometheus and for probes; it only tells, it never acts.

    Parameters
    ----------
    metrics : Metrics
        What /metrics shows.
    host, port : str, int
        Address to listen on; port 0 takes any free one (`port` says which).
    ready : callable, optional
        Whether the daemon is ready to trade: the answer of /ready.
    readings : callable, optional
        The health checks. /live is 503 when one whose failure stops the watchdog's beat has
        failed; both probes name the checks that are not OK.
    """

    def __init__(
        self,
        metrics: Metrics,
        host: str = "127.0.0.1",
        port: int = 9101,
        *,
        ready: Callable[[], bool] = _yes,
        readings: Callable[[], Sequence[Reading]] = _nothing,
    ) -> None:
        self._metrics = metrics
        self._host = host
        self._port = port
        self._ready = ready
        self._readings = readings
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """Port that is listened on once started."""
        return self._port

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        Failure
            CONFIG when the address cannot be listened on.
        """
        app = web.Application(client_max_size=1024)
        app.router.add_get("/metrics", self._serve_metrics)
        app.router.add_get("/live", self._serve_live)
        app.router.add_get("/ready", self._serve_ready)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            raise self._refusal(error) from error
        self._runner = runner
        self._port = runner.addresses[0][1]
        _log.info(
            "metrics on http://%s:%d/metrics",
            self._host,
            self._port,
            extra={"fields": {"event": "metrics_listening"}},
        )

    async def stop(self) -> None:
        """Stop listening; connections that are open get a second to end."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve_metrics(self, _request: web.Request) -> web.Response:
        self._metrics.refresh()
        pieces = []
        for piece in self._metrics.pieces():
            pieces.append(piece)
            await asyncio.sleep(0)  # a scrape must not hold up an order
        return web.Response(body=b"".join(pieces), headers={"Content-Type": CONTENT_TYPE})

    async def _serve_live(self, _request: web.Request) -> web.Response:
        readings = self._readings()
        live = not any(one.beats and one.grade is Grade.FAILED for one in readings)
        return _answer("live", live, readings)

    async def _serve_ready(self, _request: web.Request) -> web.Response:
        return _answer("ready", self._ready(), self._readings())

    def _refusal(self, error: OSError) -> Failure:
        address = f"{self._host}:{self._port}"
        if error.errno in _BUSY:
            return Failure(
                "the metrics port is in use",
                code=ExitCode.CONFIG,
                where="telemetry.metrics_port",
                expected="a free port",
                found=f"another process listens on {address}",
                next_step=f"see `ss -ltnp 'sport = :{self._port}'`; each instance needs its own, "
                f"e.g. telemetry.metrics_port={self._port + 1}, or 0 for none",
            )
        return Failure(
            "the metrics address cannot be listened on",
            code=ExitCode.CONFIG,
            where="telemetry.metrics_host and telemetry.metrics_port",
            expected="an address of this machine and a port this user may take",
            found=f"{address}: {error.strerror or error}",
            next_step="set telemetry.metrics_host=127.0.0.1 and a port above 1023",
        )


def _answer(name: str, good: bool, readings: Sequence[Reading]) -> web.Response:
    troubles = {
        one.name: {"grade": one.grade.value, "value": one.value, "limit": one.limit}
        for one in readings
        if one.grade is not Grade.OK
    }
    return web.json_response({name: good, "troubles": troubles}, status=200 if good else 503)
