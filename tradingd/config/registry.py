"""Group `registry`: where models and every trial are kept."""

from typing import Annotated

from msgspec import Meta

from tradingd.config.base import Group, SecretRef


class RegistryConfig(Group, frozen=True, kw_only=True):
    """An MLflow store."""

    root: Annotated[
        str, Meta(description="Folder of models and, by default, of the store; empty: data folder.")
    ] = ""
    tracking: Annotated[
        str,
        Meta(
            description="MLflow tracking URI, e.g. http://127.0.0.1:5000; empty: SQLite in `root`."
        ),
    ] = ""
    token: Annotated[SecretRef | None, Meta(description="Bearer token of a tracking server.")] = (
        None
    )
