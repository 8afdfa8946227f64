"""What the process and its machine use: read at each scrape, from the kernel."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

type Family = GaugeMetricFamily | CounterMetricFamily


class MachineCollector(Collector):
    """Disk, network and disk traffic; a number the sandbox hides is left out.

    Parameters
    ----------
    folder : Path
        Folder whose file system must not fill up (the state folder).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = psutil.Process()

    def describe(self) -> Iterator[Metric]:
        """Yield nothing, so that registering reads nothing."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        for read in (self._disk, self._traffic, self._network, self._memory):
            try:
                yield from read()
            except (OSError, psutil.Error, AttributeError):
                continue

    def _disk(self) -> Iterator[Family]:
        usage = shutil.disk_usage(self._folder)
        yield _gauge("tradingd_disk_free_bytes", "Free space for the state folder.", usage.free)
        yield _gauge("tradingd_disk_size_bytes", "Size of that file system.", usage.total)

    def _traffic(self) -> Iterator[Family]:
        count = self._process.io_counters()
        yield _counter("tradingd_disk_read_bytes", "Bytes read from disk.", count.read_bytes)
        yield _counter("tradingd_disk_written_bytes", "Bytes written to disk.", count.write_bytes)

    def _network(self) -> Iterator[Family]:
        count = psutil.net_io_counters()  # None where the sandbox shows no interface
        received, sent, errors = (
            count.bytes_recv,
            count.bytes_sent,
            count.errin + count.errout + count.dropin + count.dropout,
        )
        yield _counter("tradingd_network_received_bytes", "Bytes the machine received.", received)
        yield _counter("tradingd_network_sent_bytes", "Bytes the machine sent.", sent)
        yield _counter("tradingd_network_errors", "Packets lost or damaged here.", errors)

    def _memory(self) -> Iterator[Family]:
        memory = psutil.virtual_memory()
        yield _gauge("tradingd_memory_used_ratio", "Memory of the machine in use.",
                     memory.percent / 100)  # fmt: skip


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, value=value)
