"""Commands of `tradingd model`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Overlay, Overrides

ENVIRONMENT = {
    "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
    "XDG_DATA_HOME": "base of the default registry folder",
    "MLFLOW_TRACKING_TOKEN": "bearer token of a tracking server, unless registry.token names one",
}

_RUN = "tradingd.cli.model_registry_run"

Model = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}(@[a-z0-9][a-z0-9_-]{0,63})?$",
        description="NAME@VERSION, NAME@ALIAS, or NAME for the one in production, else the latest.",
        extra={"positional": True, "metavar": "MODEL", "fits": "NAME, NAME@VERSION or NAME@ALIAS"},
    ),
]
Candidate = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}(@[a-z0-9][a-z0-9_-]{0,63})?$",
        description="NAME@VERSION, NAME@ALIAS (such as challenger), or NAME for the latest.",
        extra={"positional": True, "metavar": "MODEL", "fits": "NAME, NAME@VERSION or NAME@ALIAS"},
    ),
]
Name = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
        description="Name in the registry.",
        extra={"positional": True, "metavar": "NAME", "fits": "a name in the registry"},
    ),
]
Alias = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_-]{0,63}$",
        description="What it is served under (model.alias of a daemon).",
        extra={"fits": "small letters first: a number is a version"},
    ),
]
By = Annotated[str | None, Meta(description="Who decides; default: the account this runs under.")]
Reason = Annotated[str, Meta(description="Why, for those who read it later.", max_length=500)]


class ListParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model list`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    name: Annotated[str | None, Meta(description="Only models of this name.")] = None


class ShowParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model show`."""

    model: Model
    overrides: Overrides = ()
    overlay: Overlay = None


class PromoteParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model promote`."""

    model: Candidate
    overrides: Overrides = ()
    overlay: Overlay = None
    alias: Alias = "production"
    by: By = None
    reason: Reason = ""
    dry_run: Annotated[bool, Meta(description="Show what the rules say; change nothing.")] = False


class ChallengeParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model challenge`."""

    model: Candidate
    overrides: Overrides = ()
    overlay: Overlay = None


class RollbackParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model rollback`."""

    name: Name
    overrides: Overrides = ()
    overlay: Overlay = None
    alias: Alias = "production"
    by: By = None
    reason: Reason = ""


class ExpireParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model expire`."""

    model: Model
    overrides: Overrides = ()
    overlay: Overlay = None


class DiffParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model diff`."""

    left: Model
    right: Model
    overrides: Overrides = ()
    overlay: Overlay = None


class CompareParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model compare`."""

    name: Name
    overrides: Overrides = ()
    overlay: Overlay = None
    instance: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$",
            description="Whose records: the daemon that served both.",
        ),
    ] = "paper"
    state: Annotated[
        str | None,
        Meta(
            description="State folder of the instance; default: where it keeps it.",
            extra={"metavar": "FOLDER"},
        ),
    ] = None


class ImportParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model import`."""

    path: Annotated[
        str,
        Meta(
            min_length=1,
            description="The manifest, or the folder of one; the model's file lies beside it.",
            extra={"positional": True, "metavar": "PATH"},
        ),
    ]
    overrides: Overrides = ()
    overlay: Overlay = None


def _command(
    verb: str, params: type[msgspec.Struct], result: str, summary: str, examples: tuple[str, ...]
) -> Command[Any, Any]:
    return Command(
        path=("model", verb),
        params=params,
        result=f"tradingd.app.model_registry:{result}",
        function=f"{_RUN}:run_{verb}",
        render=f"{_RUN}:render_{verb}",
        summary=summary,
        examples=examples,
        environment=ENVIRONMENT,
    )


COMMANDS: tuple[Command[Any, Any], ...] = (
    _command(
        "list",
        ListParams,
        "ModelList",
        "Show the models of the registry, what each may do, and how many were tried.",
        ("tradingd model list", "tradingd model list --name swing --json"),
    ),
    _command(
        "show",
        ShowParams,
        "ModelReport",
        "Show a model's manifest, its files, and what the gates say of it now.",
        ("tradingd model show swing", "tradingd model show swing@3 --json"),
    ),
    _command(
        "promote",
        PromoteParams,
        "PromotionReport",
        "Let a model decide, if it passes every gate. Exit code 36: a gate fails; all are listed.",
        (
            'tradingd model promote swing@3 --reason "two quiet weeks in shadow"',
            "tradingd model promote swing@3 --dry-run",
        ),
    ),
    _command(
        "challenge",
        ChallengeParams,
        "ChallengeReport",
        "Let a model predict in the shadow of the one in production.",
        ("tradingd model challenge swing@4",),
    ),
    _command(
        "rollback",
        RollbackParams,
        "RollbackReport",
        "Put the model back that was in production before.",
        ('tradingd model rollback swing --reason "drifted at the open"',),
    ),
    _command(
        "expire",
        ExpireParams,
        "ExpiryReport",
        "End a model's time now: who serves it abstains from then on.",
        ("tradingd model expire swing@3",),
    ),
    _command(
        "diff",
        DiffParams,
        "DiffReport",
        "Put two models side by side: metrics, features, data, settings.",
        ("tradingd model diff swing@2 swing@3", "tradingd model diff swing swing@challenger"),
    ),
    Command(
        path=("model", "compare"),
        params=CompareParams,
        result="tradingd.app.model_compare:ComparisonReport",
        function=f"{_RUN}:run_compare",
        render=f"{_RUN}:render_compare",
        summary="Compare champion and challenger on what became of the rows both predicted.",
        examples=(
            "tradingd model compare swing --instance paper",
            "tradingd model compare swing --instance paper --json",
        ),
        environment={
            **ENVIRONMENT,
            "STATE_DIRECTORY": "state folder of the instance under systemd",
            "XDG_STATE_HOME": "base of the state folder otherwise",
        },
    ),
    _command(
        "import",
        ImportParams,
        "ImportReport",
        "Take in a foreign model (ONNX, LightGBM text, XGBoost) that carries a valid manifest.",
        ("tradingd model import theirs/model-manifest.json",),
    ),
)
