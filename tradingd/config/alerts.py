"""Group `alerts`: who hears of what."""

from typing import Annotated

from msgspec import Meta

from tradingd.config.base import Count, Group, Minutes, Positive, SecretRef

Routes = dict[str, tuple[SecretRef, ...]]


class AlertsConfig(Group, frozen=True, kw_only=True):
    """Routes by severity; each is a reference to a secret that holds an apprise URL."""

    info: Annotated[tuple[SecretRef, ...], Meta(description="Routes of severity info.")] = ()
    trade: Annotated[tuple[SecretRef, ...], Meta(description="Routes of severity trade.")] = ()
    warn: Annotated[tuple[SecretRef, ...], Meta(description="Routes of severity warn.")] = ()
    page: Annotated[tuple[SecretRef, ...], Meta(description="Routes of severity page.")] = ()
    escalate: Annotated[
        tuple[SecretRef, ...], Meta(description="Routes of pages nobody acknowledged.")
    ] = ()
    repeat_minutes: Annotated[
        Minutes, Meta(description="The same trouble is told again after this long.")
    ] = 15
    per_minute: Annotated[
        Positive, Meta(description="Alerts a minute, pages apart; more are counted and summed up.")
    ] = 20
    escalate_minutes: Annotated[
        Minutes, Meta(description="An unacknowledged page escalates after this long.")
    ] = 5
    escalations: Annotated[Count, Meta(description="How often a page escalates.")] = 3
    longest_text: Annotated[
        Positive, Meta(description="Characters of a message; the rest is cut, visibly.")
    ] = 2_000
