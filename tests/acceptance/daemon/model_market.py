"""A real model of real bars in a registry, made in a second, for daemons that serve it."""

import datetime as dt
import hashlib
import shutil
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.acceptance.command import tradingd_in
from tests.acceptance.daemon.paper import Paper
from tradingd.app.model_parity import recorded_rows
from tradingd.app.model_parity_compare import Compared, Recorded, compare
from tradingd.app.model_parity_splits import splits_of
from tradingd.app.modelling.sources import Sources, open_sources
from tradingd.config.load import load
from tradingd.domain.manifest import FILE_NAME
from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.features.batch import compute
from tradingd.features.feature_set import FeatureSet
from tradingd.features.frame import FeatureFrame
from tradingd.history.store import Store
from tradingd.registry.published import folder_of, write_aliases
from tradingd.serving.lightgbm_model import LightGbmModel
from tradingd.serving.prediction_log import FOLDER, read_log

NAME: Final = "small"
TRAINED_TO: Final = dt.date(2003, 12, 31)
SPLITS: Final = ("feed.start=2004-08-02", "feed.end=2005-03-18")
"""GOOG lists, MSFT and IBM pay dividends, AAPL splits on 2005-02-28."""


class Shown(NamedTuple):
    """What the record of one model shows beside the features of the whole store."""

    symbols: frozenset[str]
    first: int
    last: int
    compared: Compared


class ModelMarket:
    """A store and a registry that daemons share; models of the same features, told apart by seed.

    Parameters
    ----------
    home : Path
        Holds both.
    importing : sequence of str
        What fills the store.
    overrides : sequence of str
        Features, bars and universe, in training and session alike.
    until : date
        Last day learned from.
    split : tuple, optional
        Symbol, ex-date, new and old shares: added to what was imported.
    """

    def __init__(
        self,
        home: Path,
        importing: tuple[str, ...],
        overrides: tuple[str, ...],
        until: dt.date,
        split: tuple[str, dt.date, int, int] | None = None,
    ) -> None:
        self.home = home
        self.store = home / "data" / "tradingd" / "history"
        self.registry = home / "registry"
        self.overrides = overrides
        self.until = until
        ended = tradingd_in(home)("data", "import", *importing)
        assert ended.returncode == 0, ended.stderr
        if split is not None:
            self._add(*split)
        self.sources: Sources = open_sources(self.config(), None, None)
        self.frame: FeatureFrame = compute(self.sources.feature_set, self.sources.series)

    def _add(self, symbol: str, day: dt.date, new: int, old: int) -> None:
        action = CorporateAction(
            symbol=symbol, ex_date=day, kind=ActionKind.SPLIT, numerator=new, denominator=old
        )
        with Store(self.store).batch("split") as batch:
            batch.actions([action])

    def config(self) -> Any:
        """Return the configuration that both share."""
        return load(["mode=paper", *self.of_daemon()]).config

    def of_daemon(self, registry: Path | None = None) -> tuple[str, ...]:
        """Return the overrides of a daemon that serves the promoted model on these bars."""
        return (
            f"store.root={self.store}",
            f"registry.root={registry or self.registry}",
            "feed=replay",
            "feed.data=store",
            "feed.speed=0",
            "strategy=model_signal",
            f"strategy.bars={self.bars}",
            "model=registry",
            f"model.name={NAME}",
            *self.overrides,
        )

    @property
    def bars(self) -> str:
        """Length of the bars."""
        minutes = {"features=minute", "features.bars=1m"}
        return "1m" if minutes.intersection(self.overrides) else "1d"

    def train(self, version: int, *, seed: int = 1, trees: int = 30) -> Path:
        """Learn whether the next bar rises and publish that; return the manifest."""
        import lightgbm

        frame = self.frame
        cut = int(dt.datetime.combine(self.until, dt.time(23), dt.UTC).timestamp()) * 10**9
        rows, rises = [], []
        for symbol in frame.symbols:
            mine = frame.of(symbol)[self.sources.feature_set.memory :]
            mine = mine[frame.ts[mine] <= cut]
            rows.append(mine[:-1])
            rises.append(frame.close[mine[1:]] > frame.close[mine[:-1]])
        settings = {
            "objective": "binary",
            "num_threads": 1,
            "verbosity": -1,
            "min_data_in_leaf": 20,
            "feature_fraction": 0.6,
            "seed": seed,
            "deterministic": True,
        }
        learned = frame.x[np.concatenate(rows)]
        data = lightgbm.Dataset(
            learned, np.concatenate(rises).astype(float), feature_name=list(frame.names)
        )
        text = lightgbm.train(settings, data, trees).model_to_string().encode()
        return self.publish(version, text, rows=len(learned))

    def publish(self, version: int, text: bytes, *, rows: int = 1_000, **changes: Any) -> Path:
        """Put a model where the registry serves from; no alias points to it yet."""
        folder = folder_of(self.registry, NAME, version)
        folder.mkdir(parents=True)
        (folder / "model.txt").write_bytes(text)
        path = folder / FILE_NAME
        path.write_bytes(
            msgspec.json.encode(
                {
                    **manifest_of(
                        self.sources.feature_set,
                        version,
                        text,
                        rows=rows,
                        until=self.until,
                        symbols=len(self.sources.traded),
                    ),
                    **changes,
                }
            )
        )
        return path

    def point(self, version: int, registry: Path | None = None) -> None:
        """Move the alias `production`."""
        write_aliases(registry or self.registry, NAME, {"production": version})

    def facts(self) -> dict[str, Any]:
        """Return the first model's manifest."""
        path = folder_of(self.registry, NAME, 1) / FILE_NAME
        facts: dict[str, Any] = msgspec.json.decode(path.read_bytes())
        return facts

    def damaged(self, home: Path, version: int = 1, **changes: Any) -> Path:
        """Return a registry of its own whose promoted model's manifest states something else."""
        registry = home / "registry"
        shutil.copytree(self.registry, registry)
        path = folder_of(registry, NAME, version) / FILE_NAME
        document = msgspec.json.decode(path.read_bytes())
        path.write_bytes(msgspec.json.encode({**document, **changes}))
        self.point(version, registry)
        return registry

    def of_parity(self, daemon: Paper) -> tuple[str, ...]:
        """Return the words that let `tradingd model parity` look at a daemon's record."""
        return ("--instance", daemon.instance, *self.of_daemon())

    def shown(self, daemon: Paper, *, model: str = f"{NAME}@1", after: int = 0) -> Shown:
        """Compare what a daemon recorded of a model after a time with the whole store."""
        table = read_log(daemon.state / FOLDER)
        assert table is not None, "nothing was recorded"
        feature_set = self.sources.feature_set
        rows = {one: rows for one, _, rows in recorded_rows(table, feature_set.names)}[model]
        later = rows.ts > after
        rows = Recorded(
            symbols=[one for one, keep in zip(rows.symbols, later, strict=True) if keep],
            ts=rows.ts[later],
            score=rows.score[later],
            x=rows.x[later],
        )
        version = int(model.rpartition("@")[2])
        text = (folder_of(self.registry, NAME, version) / "model.txt").read_bytes()
        predictor = LightGbmModel(text, len(feature_set.names), model)
        splits = splits_of(text, "lightgbm-text", feature_set.names)
        return Shown(
            symbols=frozenset(rows.symbols),
            first=int(rows.ts.min()),
            last=int(rows.ts.max()),
            compared=compare(rows, self.frame, predictor, splits),
        )

    def with_other_bars(self, home: Path, symbol: str) -> Path:
        """Return a copy of the store in which a symbol closes a quarter higher."""
        root = home / "history"
        shutil.copytree(self.store, root)
        for path in sorted(root.rglob(f"symbol={symbol}/**/*.parquet")):
            table = pq.read_table(path, partitioning=None)
            if "close" in table.column_names:
                pq.write_table(_raised(table).cast(table.schema), path)
        return root


def _raised(table: pa.Table) -> pa.Table:
    close = table["close"]
    raised = pc.add(close.cast(pa.float64()), 0.25)
    place = table.column_names.index("close")
    high = table.column_names.index("high")
    table = table.set_column(place, "close", pc.round(raised, 2).cast(close.type))
    higher = pc.max_element_wise(table["high"], table["close"])
    return table.set_column(high, "high", higher.cast(close.type))


def manifest_of(
    feature_set: FeatureSet,
    version: int,
    text: bytes,
    *,
    rows: int,
    until: dt.date = TRAINED_TO,
    symbols: int | None = None,
) -> dict[str, Any]:
    """Return a manifest that its contract accepts."""
    return {
        "contract": "model-manifest",
        "schema_version": "1.1.0",
        "name": NAME,
        "version": str(version),
        "status": "candidate",
        "created": "2004-01-02T00:00:00Z",
        "expires": "2030-01-02T00:00:00Z",
        "framework": {"name": "lightgbm", "version": "4.7.0"},
        "task": "classification",
        "artifact": {
            "path": "model.txt",
            "sha256": hashlib.sha256(text).hexdigest(),
            "bytes": len(text),
            "format": "lightgbm-text",
        },
        "features": [
            {"name": name, "dtype": "float64", "nullable": True} for name in feature_set.names
        ],
        "features_hash": feature_set.hash,
        "target": {"name": "up", "horizon_seconds": 86400},
        "label": {"kind": "forward_return", "resolution": feature_set.bars, "bars": 1},
        "training": {
            "start": "2000-01-03",
            "end": str(until),
            "rows": rows,
            "fingerprint": "0" * 64,
            **({} if symbols is None else {"symbols": symbols}),
        },
        "validation": {
            "method": "hold-out",
            "start": str(until),
            "end": str(until + dt.timedelta(1)),
        },
        "metrics": {"sharpe": 0.1},
    }
