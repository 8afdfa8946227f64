"""A store with the bars of one source at one resolution."""

from pathlib import Path

from tradingd.app.analyze import Wanted
from tradingd.app.data import import_history
from tradingd.config.load import load
from tradingd.config.source import SourceConfig
from tradingd.domain.market import Resolution
from tradingd.history.store import Store
from tradingd.sources.make import make_source


def import_bars(folder: Path, source: SourceConfig, resolution: Resolution) -> Store:
    """Import the source's bars into a store below `folder`."""
    root = folder / "history"
    config = load([f"store.root={root}"], overlay=folder).config
    import_history(config, Wanted(make_source(source), resolution))
    return Store(root)
