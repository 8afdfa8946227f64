"""Prove that the model of a session saw what training would have shown it, and said the same."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tradingd.app.advisor import checked_bundle, model_manifest, warm_start
from tradingd.app.backtest import universe_symbols
from tradingd.app.model_parity_compare import Compared, Recorded, compare
from tradingd.app.model_parity_splits import splits_of
from tradingd.app.modelling.sources import stored_feature_set
from tradingd.config.model import ModelFile
from tradingd.config.paths import registry_root, state_root, store_root
from tradingd.config.system import SystemConfig
from tradingd.domain.manifest import FILE_NAME
from tradingd.domain.market import Resolution
from tradingd.features.batch import compute
from tradingd.features.feature_set import FeatureSet
from tradingd.features.frame import FeatureFrame
from tradingd.features.store_series import read_series
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.registry.published import folder_of
from tradingd.serving.bundle import Bundle
from tradingd.serving.prediction_log import FEATURE, FOLDER, read_log
from tradingd.session.calendar import SessionCalendar, local_date

if TYPE_CHECKING:
    import pyarrow as pa


class ModelParity(msgspec.Struct, frozen=True, kw_only=True):
    """One model of the session; `role` is champion or challenger."""

    model: str
    role: str
    compared: Compared


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model parity`, by model and role.

    `holds`: no feature outside the tolerance, every prediction repeated bit for bit, and every one
    that differs end to end explained by a threshold between the two values of a feature.
    """

    instance: str
    first: dt.date
    last: dt.date
    symbols: int
    models: tuple[ModelParity, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is left to explain."""
        return all(
            not (one.outside or one.repeats_differ or one.unexplained or one.absent)
            for one in (each.compared for each in self.models)
        )


def model_parity(
    config: SystemConfig, instance: str, start: dt.date | None = None, end: dt.date | None = None
) -> Parity:
    """Compute every recorded row anew from the store and ask the same models again.

    Parameters
    ----------
    config : SystemConfig
        The session's own: its features, universe, store and registry.
    instance : str
        Whose record is read.
    start, end : date, optional
        UTC days of the record, both inclusive.

    Raises
    ------
    Failure
        NO_DATA without a record; CONFIG when the configuration declares other features; as of
        `load_bundle` and `read_series`.
    """
    folder = state_root(instance) / FOLDER
    table = read_log(folder, start, end)
    if table is None or not table.num_rows:
        raise _no_record(folder)
    store = Store(store_root(config), config.store)
    calendar = SessionCalendar(config.session.calendar)
    resolution = Resolution(config.features.bars)
    traded = universe_symbols(store, config, resolution)
    feature_set = stored_feature_set(config, store, traded, calendar)
    _require_features(table, feature_set, folder)
    frame = _frame(config, store, calendar, feature_set, traded, table)
    stamps = table["ts_event"].cast("int64").to_numpy()
    return Parity(
        instance=instance,
        first=local_date(int(stamps.min())),
        last=local_date(int(stamps.max())),
        symbols=len(frame.symbols),
        models=tuple(
            ModelParity(
                model=model,
                role=role,
                compared=_compared(config, model, feature_set, recorded, frame),
            )
            for model, role, recorded in recorded_rows(table, feature_set.names)
        ),
    )


def recorded_rows(table: "pa.Table", names: tuple[str, ...]) -> Iterator[tuple[str, str, Recorded]]:
    """Yield (model, role, rows) of a record, by model and role."""
    who = list(zip(table["model"].to_pylist(), table["role"].to_pylist(), strict=True))
    symbols = table["symbol"].to_pylist()
    ts = table["ts_event"].cast("int64").to_numpy()
    score = table["score"].to_numpy()
    columns = [table[FEATURE + name].to_numpy() for name in names]
    x = np.column_stack(columns) if columns else np.empty((len(ts), 0))
    for model, role in sorted(set(who)):
        mine = np.array([one == (model, role) for one in who], np.bool_)
        yield (
            model,
            role,
            Recorded(
                symbols=[symbols[row] for row in np.flatnonzero(mine)],
                ts=ts[mine],
                score=score[mine],
                x=np.ascontiguousarray(x[mine]),
            ),
        )


def _frame(
    config: SystemConfig,
    store: Store,
    calendar: SessionCalendar,
    feature_set: FeatureSet,
    traded: Sequence[str],
    table: "pa.Table",
) -> FeatureFrame:
    """Compute the features of the recorded days, from as far back as they remember."""
    stamps = table["ts_event"].cast("int64").to_numpy()
    resolution = Resolution(feature_set.bars)
    first = warm_start(local_date(int(stamps.min())), feature_set.memory, resolution, calendar)
    series = read_series(
        store,
        sorted({*traded, feature_set.benchmark} - {""}),
        resolution,
        first,
        local_date(int(stamps.max())),
        calendar=calendar,
        quotes=feature_set.needs_quotes,
        regular_only=config.session.regular_only,
    )
    return compute(feature_set, series)


def _compared(
    config: SystemConfig,
    model: str,
    feature_set: FeatureSet,
    recorded: Recorded,
    frame: FeatureFrame,
) -> Compared:
    path = _manifest_of(config, model)
    bundle = checked_bundle(path, feature_set, None)
    _require_same(bundle, model, path)
    artifact = bundle.manifest.artifact
    content = (path.parent / artifact.path).read_bytes()
    splits = splits_of(content, artifact.format, feature_set.names)
    return compare(recorded, frame, bundle.predictor, splits)


def _manifest_of(config: SystemConfig, model: str) -> Path:
    """Return the manifest of NAME@VERSION, wherever the alias points by now."""
    if isinstance(config.model, ModelFile):
        path = model_manifest(config, config.model)
        return path / FILE_NAME if path.is_dir() else path
    name, _, version = model.partition("@")
    if not version.isdigit():
        raise Failure(
            f"{model} is no version of the registry",
            code=ExitCode.NO_DATA,
            where=str(registry_root(config)),
            expected="NAME@VERSION",
            found=model,
            next_step="model=file model.manifest=PATH, as the session had it",
        )
    return folder_of(registry_root(config), name, int(version)) / FILE_NAME


def _require_same(bundle: Bundle, model: str, path: Path) -> None:
    if bundle.id != model:
        raise Failure(
            "the session was served by another model",
            code=ExitCode.CONFIG,
            where=str(path),
            expected=model,
            found=bundle.id,
            next_step="state the model as the session had it",
        )


def _require_features(table: "pa.Table", feature_set: FeatureSet, folder: Path) -> None:
    recorded = {one.removeprefix(FEATURE) for one in table.column_names if one.startswith(FEATURE)}
    declared = set(feature_set.names)
    if recorded == declared:
        return
    odd = sorted(recorded ^ declared)
    raise Failure(
        "the configuration declares other features than the session recorded",
        code=ExitCode.CONFIG,
        where=str(folder),
        expected=f"{len(recorded)} features, as recorded",
        found=f"{len(declared)}; {odd[0]} is in one of them only",
        next_step="give the overrides of the session, or --start after its features changed",
    )


def _no_record(folder: Path) -> Failure:
    return Failure(
        "the instance has no record of predictions",
        code=ExitCode.NO_DATA,
        where=str(folder),
        expected="a session with a model whose strategies asked it",
        found="nothing in these days",
        next_step="tradingd run mode=paper strategy=model_signal model=registry",
    )
