"""End a run: measure it, write its documents, and rename the folder to its final name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from tradingd.kits.atomicfile import write_bytes
from tradingd.results.folder import RunFolder
from tradingd.results.layout import MANIFEST, METRICS, TEARSHEET, TIMING
from tradingd.results.manifest import Manifest, portable
from tradingd.results.measure import measure
from tradingd.results.metrics import Metrics
from tradingd.results.tearsheet.sheet import Prices, tearsheet

_encoder: Final = msgspec.json.Encoder(order="sorted")


def finish(
    folder: RunFolder,
    *,
    manifest: Manifest,
    timing: Mapping[str, float],
    prices: Prices | None,
) -> Metrics:
    """Write metrics, manifest, tear sheet and timing, then seal the folder.

    The recorder must be closed. Everything but `timing.json` depends on the inputs of the run
    alone, so the manifest carries the run's name without the counter of repetitions. Without
    `prices` there is no tear sheet: thousands of trials would fill a disk with them.
    """
    manifest = msgspec.structs.replace(
        manifest, run_id=folder.content_id, config=portable(manifest.config)
    )
    metrics = measure(folder, cash=manifest.cash, seed=manifest.seed)
    write_json(folder.file(METRICS), metrics)
    write_json(folder.file(MANIFEST), manifest)
    if prices is not None:
        write_bytes(folder.file(TEARSHEET), tearsheet(folder, manifest, metrics, prices))
    write_json(folder.file(TIMING), dict(timing))
    folder.seal()
    return metrics


def write_json(path: Path, value: object) -> None:
    """Write a value as indented JSON with sorted keys."""
    write_bytes(path, msgspec.json.format(_encoder.encode(value), indent=2) + b"\n")
