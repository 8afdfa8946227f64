"""What every configuration struct has in common, and the constrained types they use."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every configuration struct: frozen, keyword-only, unknown keys refused."""


Percent = Annotated[float, Meta(ge=0, le=100_000, extra={"unit": "percent"})]
"""A share of something in percent; the large upper bound lets profile `open` be out of reach."""

BasisPoints = Annotated[float, Meta(ge=0, le=10_000, extra={"unit": "basis points"})]

Fraction = Annotated[float, Meta(ge=0, le=10, extra={"unit": "share"})]

Level = Annotated[float, Meta(ge=0, le=100, extra={"unit": "index points, 0-100"})]
"""A reading of an oscillator such as RSI or ADX."""

Period = Annotated[int, Meta(ge=2, le=1_000, extra={"unit": "bars"})]

Count = Annotated[int, Meta(ge=0)]

Minutes = Annotated[int, Meta(ge=0, extra={"unit": "minutes"})]

Positive = Annotated[int, Meta(ge=1)]

Symbol = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9.\-]{0,14}$")]

SecretRef = Annotated[
    str,
    Meta(
        pattern=r"^(env:[A-Za-z_]\w*|credential:\w[\w.@-]*|file:.+)$",
        description="Where a secret is found: env:NAME, credential:NAME (systemd) or file:PATH.",
        extra={"secret": True},
    ),
]
