"""What a verification says; the shape of `tradingd verify --json`. Money is text, times UTC ns."""

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One disagreement.

    `check` names the rule, `subject` the symbol, order or fill; `broker` and `ours` are what the
    two sides say, empty where one says nothing. `owner` is ``ours``, ``manual`` or empty. `gap` is
    the difference itself where both sides move together while it stays; else empty.
    """

    check: str
    subject: str
    text: str
    broker: str = ""
    ours: str = ""
    owner: str = ""
    symbol: str = ""
    gap: str = ""

    @property
    def same(self) -> tuple[str, str, str]:
        """What must be equal in a second look for a finding to stand."""
        return self.check, self.subject, self.gap or f"{self.broker}|{self.ours}"


class PositionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol, as both sides have it; `stop` is the price that must guard it."""

    symbol: str
    broker: int
    ours: int
    broker_average: str
    our_average: str
    broker_unrealised: str
    our_unrealised: str
    stop: str
    covered: int


class Tolerances(msgspec.Struct, frozen=True, kw_only=True):
    """How far two amounts may differ and still agree; everything else is compared exactly.

    Parameters
    ----------
    cash : str
        Dollars; brokers tell cents.
    price_bps : float
        Average prices, in basis points of the price (or one cent, where that is more).
    unrealised_bps : float
        Unrealised profit, in basis points of the position's value: the broker's average is rounded.
    """

    cash: str = "0.01"
    price_bps: float = 1.0
    unrealised_bps: float = 2.0


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd verify`.

    `agree` is True when nothing differs; `looks` is 2 where the first look found something that
    had to be looked at again; `passing` counts what was gone by then. `options` are the overlay and
    the overrides it was asked with: a next step repeats them.
    """

    instance: str
    broker: str
    account: str
    agree: bool
    positions: tuple[PositionLine, ...]
    findings: tuple[Finding, ...]
    broker_cash: str
    our_cash: str
    open_orders: int
    foreign_orders: int
    fills: int
    tolerances: Tolerances
    looks: int
    passing: int
    since: int
    wall: int
    seconds: float
    exit_code: int
    options: tuple[str, ...] = ()
