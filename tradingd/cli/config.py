"""Commands of `tradingd config`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Instance, Overlay, Overrides

ENVIRONMENT = {
    "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
    "XDG_CONFIG_HOME": "base of the user's overlay folder",
    "IB_HOST": "sets broker.host while broker=ibkr",
    "IB_GATEWAY_PAPER_PORT": "sets broker.port while broker=ibkr, unless mode=live",
    "IB_GATEWAY_LIVE_PORT": "sets broker.port while broker=ibkr and mode=live",
    "IB_CLIENT_ID": "sets broker.client_id while broker=ibkr",
}


class CheckParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd config check`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    instance: Instance = None


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output: the identity of a configuration that passed every check.

    `warnings` name what `tradingd run` would refuse all the same; a backtest may have it.
    """

    hash: str
    mode: str
    broker: str
    strategy: str
    risk: str
    overlay: str | None
    instance: str | None = None
    warnings: tuple[str, ...] = ()


class ShowParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd config show`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    instance: Instance = None


class ShowReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output: every value in force, defaults included; secrets are references."""

    hash: str
    config: dict[str, Any]


class DiffParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd config diff`."""

    overrides: Overrides = ()
    against: Annotated[
        tuple[str, ...],
        Meta(
            description="Overrides of the other side, with the same overlay and environment;"
            " absent: the packaged defaults alone.",
            extra={"metavar": "OVERRIDE"},
        ),
    ] = ()
    overlay: Overlay = None
    instance: Instance = None


class DiffRow(msgspec.Struct, frozen=True, kw_only=True):
    """One key that differs; a side without the key has ``-``."""

    key: str
    left: Any
    right: Any


class DiffReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output: the differing keys; `left` is the other side, `right` the overrides given."""

    left_name: str
    right_name: str
    left_hash: str
    right_hash: str
    differences: tuple[DiffRow, ...]


class ExplainParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd config explain`."""

    key: Annotated[
        str,
        Meta(
            description="Dotted key, e.g. risk.gross_percent.",
            extra={"positional": True, "metavar": "KEY"},
        ),
    ]
    overrides: Overrides = ()
    overlay: Overlay = None
    instance: Instance = None


class ExplainRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one layer says about the key."""

    layer: str
    place: str
    value: Any
    wins: bool


class ExplainMember(msgspec.Struct, frozen=True, kw_only=True):
    """One key of an explained group and the layer that set it."""

    key: str
    value: Any
    winner: str


class ExplainReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output: the key's meaning, its value, and every layer's word on it, the weakest first."""

    key: str
    value: Any
    expected: str
    unit: str
    description: str
    default: Any
    required: bool
    winner: str
    layers: tuple[ExplainRow, ...]
    members: tuple[ExplainMember, ...]


class SchemaParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd config schema`."""


class SchemaReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output: the JSON Schema of an effective configuration."""

    schema: dict[str, Any]


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("config", "check"),
        params=CheckParams,
        result=CheckReport,
        function="tradingd.cli.config_run:check",
        render="tradingd.cli.config_render:check",
        summary="Check a configuration and print its hash, or the reason it is refused.",
        examples=(
            "tradingd config check",
            "tradingd config check mode=backtest strategy=ema_cross strategy.fast=5",
            "tradingd config check --overlay ./site",
            "tradingd config check --instance paper",
        ),
        environment=ENVIRONMENT,
    ),
    Command(
        path=("config", "show"),
        params=ShowParams,
        result=ShowReport,
        function="tradingd.cli.config_run:show",
        render="tradingd.cli.config_render:show",
        summary="Print the whole configuration in force as YAML; secrets are references.",
        examples=("tradingd config show", "tradingd config show risk=open --json"),
        environment=ENVIRONMENT,
    ),
    Command(
        path=("config", "diff"),
        params=DiffParams,
        result=DiffReport,
        function="tradingd.cli.config_run:diff",
        render="tradingd.cli.config_render:diff",
        summary="List the keys in which two configurations differ.",
        examples=(
            "tradingd config diff",
            "tradingd config diff risk=open",
            "tradingd config diff strategy.fast=5 --against strategy.fast=10",
        ),
        environment=ENVIRONMENT,
    ),
    Command(
        path=("config", "explain"),
        params=ExplainParams,
        result=ExplainReport,
        function="tradingd.cli.config_run:explain",
        render="tradingd.cli.config_render:explain",
        summary="Explain a key: meaning, range, value, and which layer set it.",
        examples=(
            "tradingd config explain risk.gross_percent",
            "tradingd config explain strategy.fast strategy=ema_cross strategy.fast=5",
            "tradingd config explain risk",
        ),
        environment=ENVIRONMENT,
    ),
    Command(
        path=("config", "schema"),
        params=SchemaParams,
        result=SchemaReport,
        function="tradingd.cli.config_run:schema",
        render="tradingd.cli.config_render:schema",
        summary="Print the JSON Schema of a configuration.",
        examples=("tradingd config schema > contracts/config.schema.json",),
    ),
)
