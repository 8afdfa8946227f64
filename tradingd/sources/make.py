"""Build the source that the configuration names."""

import importlib
from typing import Final, cast

from tradingd.config.source import SourceConfig
from tradingd.domain.ports import Source

_FACTORIES: Final = {
    "sample": "tradingd.sources.sample.source:SampleSource",
    "lean": "tradingd.sources.lean.source:LeanSource",
    "tabular": "tradingd.sources.tabular.source:TabularSource",
    "alpaca": "tradingd.sources.alpaca.source:AlpacaSource",
    "databento": "tradingd.sources.databento.source:make",
    "tiingo": "tradingd.sources.tiingo.source:make",
    "massive": "tradingd.sources.massive.source:make",
    "yahoo": "tradingd.sources.yahoo.source:make",
}


def make_source(config: SourceConfig) -> Source:
    """Return the source of a configuration; it reads nothing until asked."""
    module, _, name = _FACTORIES[str(config.__struct_config__.tag)].partition(":")
    factory = getattr(importlib.import_module(module), name)
    return cast("Source", factory(config))
