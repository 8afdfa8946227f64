"""Parameters of every command that composes a configuration."""

from typing import Annotated

from msgspec import Meta

Overrides = Annotated[
    tuple[str, ...],
    Meta(
        description="Overrides: a group (strategy=ema_cross) or a value (strategy.fast=5).",
        extra={"positional": True, "metavar": "OVERRIDE"},
    ),
]

Overlay = Annotated[
    # An unset variable (--overlay "$SITE") must not mean the working directory.
    Annotated[str, Meta(min_length=1)] | None,
    Meta(
        description="Site folder that wins over the packaged files; default: the first that exists"
        " of $TRADINGD_CONF, /etc/tradingd, $XDG_CONFIG_HOME/tradingd.",
        extra={"metavar": "FOLDER"},
    ),
]

Instance = Annotated[
    Annotated[str, Meta(min_length=1)] | None,
    Meta(
        description="Also read this instance's file of the site folder, NAME.yaml.",
        extra={"metavar": "NAME", "short": "i"},
    ),
]
