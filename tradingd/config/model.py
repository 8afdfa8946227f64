"""Group `model`: whose predictions strategies may ask for."""

from typing import Annotated

from msgspec import Meta

from tradingd.config.base import Count, Group

ModelName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class NoModel(Group, tag_field="kind", tag="none", frozen=True, kw_only=True):
    """Strategies decide by their rules alone."""


class Serving(Group, frozen=True, kw_only=True):
    """When a served model must abstain."""

    drift_limit: Annotated[
        float,
        Meta(
            gt=0,
            description="Largest drift before it abstains: the features' mean population stability"
            " index, each counting by its share of the model's gain.",
        ),
    ] = 0.25
    drift_sessions: Annotated[
        int,
        Meta(
            ge=1,
            description="Latest whole sessions drift is measured on; fewer: not measured yet. The"
            " rows of one day share that day's market and differ from any training.",
        ),
    ] = 21
    drift_rows: Annotated[
        int,
        Meta(ge=1, description="Most rows of a session that count, chosen evenly at random."),
    ] = 500
    missing: Annotated[
        Count, Meta(description="Features of a row that may be missing before it abstains.")
    ] = 0
    in_sample: Annotated[
        bool,
        Meta(
            description="Let a backtest ask about days the model was trained on; what it shows"
            " then is no evidence."
        ),
    ] = False
    on_quotes: Annotated[
        bool,
        Meta(
            description="Predict again on each quote: features of the quote alone are those of"
            " then, all others keep the last bar's value. In a session; backtests ask on bars."
        ),
    ] = False
    record_days: Annotated[
        Count,
        Meta(
            description="Newest days of predictions that an instance keeps, with their rows; 0:"
            " none are recorded, and no challenger predicts."
        ),
    ] = 60


class RegisteredModel(Serving, tag_field="kind", tag="registry", frozen=True, kw_only=True):
    """The model that an alias of the registry points to."""

    name: Annotated[ModelName, Meta(description="Name in the registry.")] = "swing"
    alias: Annotated[ModelName, Meta(description="Which version.")] = "production"
    challenger: Annotated[
        bool, Meta(description="Let the version with alias `challenger` predict in its shadow.")
    ] = True


class ModelFile(Serving, tag_field="kind", tag="file", frozen=True, kw_only=True):
    """A model beside its manifest, whoever trained it."""

    manifest: Annotated[str, Meta(min_length=1, description="Path of the manifest.")]


class Predictions(Group, tag_field="kind", tag="predictions", frozen=True, kw_only=True):
    """Predictions that were made before, by row: those of a walk-forward, for a backtest."""

    path: Annotated[str, Meta(min_length=1, description="Parquet file with symbol, ts_event, ...")]


ModelConfig = NoModel | RegisteredModel | ModelFile | Predictions
