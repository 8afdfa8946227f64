"""An operator may override limits for a while."""

import msgspec
import pytest

from tradingd.app.trading.limits import LimitOverrides
from tradingd.config.risk import RiskConfig
from tradingd.domain.market import ReferenceData
from tradingd.domain.money import SCALE
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.kits.failure import ExitCode, Failure

MINUTE = 60 * 10**9


class _Desk:
    def __init__(self) -> None:
        self.now = 1_000 * MINUTE
        self.saved = b""
        book = Book(1_000 * SCALE)
        config = RiskConfig()
        self.gate = Gate(config, book, reference=ReferenceData(), account="margin", bar_seconds=60)
        self.limits = LimitOverrides(self.gate, config, lambda: self.now, self._save)

    def _save(self, content: bytes) -> None:
        self.saved = content


def test_an_override_is_in_force_until_it_expires_and_not_a_minute_longer() -> None:
    desk = _Desk()
    assert desk.limits.set("max_positions", "3", 10) == ("30", "3")
    assert desk.gate.limits.max_positions == 3
    desk.now += 10 * MINUTE - 1
    assert desk.limits.expire() == []
    desk.now += 1
    assert desk.limits.expire() == ["max_positions"]
    assert desk.gate.limits.max_positions == 30


def test_a_limit_may_be_named_with_its_group() -> None:
    desk = _Desk()
    desk.limits.set("risk.max_positions", "3", 10)
    assert desk.gate.limits.max_positions == 3


def test_an_override_survives_a_restart_and_a_reload() -> None:
    before, after = _Desk(), _Desk()
    before.limits.set("gross_percent", "40", 10)
    after.limits.restore(before.saved)
    assert after.gate.limits.gross_percent == 40
    after.limits.configure(RiskConfig(gross_percent=80, max_positions=5))
    assert (after.gate.limits.gross_percent, after.gate.limits.max_positions) == (40, 5)


def test_an_override_that_expired_while_the_daemon_was_down_stays_gone() -> None:
    before, after = _Desk(), _Desk()
    before.limits.set("gross_percent", "40", 10)
    after.now += 10 * MINUTE
    after.limits.restore(before.saved)
    assert after.gate.limits.gross_percent == RiskConfig().gross_percent


@pytest.mark.parametrize(
    ("key", "value"),
    [("max_position", "3"), ("max_positions", "-1"), ("max_positions", "x"), ("profile", "open")],
)
def test_an_unknown_limit_or_value_is_refused_and_changes_nothing(key: str, value: str) -> None:
    desk = _Desk()
    with pytest.raises(Failure) as caught:
        desk.limits.set(key, value, 5)
    assert caught.value.code is ExitCode.REFUSED
    assert desk.gate.limits == RiskConfig()
    assert desk.saved == b""


def test_every_limit_is_shown_with_its_configured_value() -> None:
    desk = _Desk()
    desk.limits.set("max_positions", "3", 5)
    shown = {view.key: view for view in desk.limits.views()}
    assert set(shown) == set(RiskConfig.__struct_fields__) - {"profile", "intraday_margin_from"}
    assert (shown["max_positions"].value, shown["max_positions"].configured) == ("3", "30")
    assert shown["max_positions"].expires == desk.now + 5 * MINUTE
    assert msgspec.json.decode(desk.saved)[0]["key"] == "max_positions"
