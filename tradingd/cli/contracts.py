"""Commands of `tradingd contracts`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command

_Folder = Annotated[
    str | None,
    Meta(
        description="Folder of schemas and rules, e.g. a submodule; default: the packaged one.",
        extra={"metavar": "DIR"},
    ),
]


class ValidateParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd contracts validate`."""

    paths: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="Files (.json, .jsonl, .parquet) or folders of them.",
            extra={"positional": True, "metavar": "FILE|FOLDER"},
        ),
    ]
    contracts: _Folder = None
    contract: Annotated[
        str,
        Meta(
            description="Name of the contract, or NAME#/$defs/PART; default: the one that the "
            "document names itself, else the one whose file names fit.",
            extra={"flag": "as", "metavar": "NAME"},
        ),
    ] = ""
    rules: Annotated[
        tuple[str, ...],
        Meta(
            description="Rules that must pass, beside those that bind by themselves.",
            extra={"flag": "rule", "metavar": "NAME"},
        ),
    ] = ()


class ListParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd contracts list`."""

    contracts: _Folder = None


class SealParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd contracts seal`."""

    contracts: _Folder = None


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("contracts", "validate"),
        params=ValidateParams,
        result="tradingd.app.contracts:Report",
        function="tradingd.cli.contracts_run:run_validate",
        render="tradingd.cli.contracts_run:render_validate",
        summary="Check documents against versioned schemas and rules, and say which clause fails. "
        "Exit code 36: a document breaks its contract, or the contracts themselves are unsound.",
        examples=(
            "tradingd contracts validate level2/FROG",
            "tradingd contracts validate manifest.json --contracts ../contracts",
            "tradingd contracts validate manifest.json --as model-manifest --rule promotion",
        ),
    ),
    Command(
        path=("contracts", "list"),
        params=ListParams,
        result="tradingd.app.contracts:Listing",
        function="tradingd.cli.contracts_run:run_list",
        render="tradingd.cli.contracts_run:render_list",
        summary="Show the schemas and rules of a folder, and what they apply to.",
        examples=("tradingd contracts list", "tradingd contracts list --contracts ../contracts"),
    ),
    Command(
        path=("contracts", "seal"),
        params=SealParams,
        result="tradingd.app.contracts:Sealed",
        function="tradingd.cli.contracts_run:run_seal",
        render="tradingd.cli.contracts_run:render_seal",
        summary="Write the checksums of schemas and rules, after an edit that was meant.",
        examples=("tradingd contracts seal", "tradingd contracts seal --contracts contracts"),
    ),
)
