import pytest

from tradingd.config.alerts import AlertsConfig
from tradingd.domain.alerts import Alert, Severity
from tradingd.notify.ledger import FORGOTTEN, MINUTE, Kind, Ledger, Notice

NOW = 1_700_000_000_000_000_000


def alert(key: str = "broker", severity: Severity = Severity.WARN, **more: object) -> Alert:
    return Alert(key=key, severity=severity, **{"title": f"{key} is away", **more})  # type: ignore[arg-type]


def titles(notices: list[Notice]) -> list[str]:
    return [one.title for one in notices]


def test_the_same_trouble_is_told_once_until_it_may_repeat() -> None:
    ledger = Ledger(AlertsConfig(repeat_minutes=15))
    told = [ledger.offer(alert(), NOW + i) for i in range(100)]
    assert [len(one) for one in told] == [1] + [0] * 99
    assert ledger.counts["deduplicated"] == 99
    assert ledger.offer(alert(), NOW + 15 * MINUTE - 1) == []
    assert titles(ledger.offer(alert(), NOW + 15 * MINUTE)) == ["broker is away (seen 102x)"]


def test_a_trouble_that_gets_worse_is_told_at_once_and_never_sinks_back() -> None:
    ledger = Ledger(AlertsConfig())
    ledger.offer(alert(), NOW)
    worse = ledger.offer(alert(severity=Severity.PAGE), NOW + 1)
    assert [one.severity for one in worse] == [Severity.PAGE]
    again = ledger.offer(alert(severity=Severity.WARN), NOW + 16 * MINUTE)
    assert [one.severity for one in again] == [Severity.PAGE]


def test_a_resolution_says_how_often_and_how_long_and_ends_the_trouble() -> None:
    ledger = Ledger(AlertsConfig())
    for i in range(5000):
        ledger.offer(alert(), NOW + i)
    (notice,) = ledger.offer(alert(resolved=True, body="it answers"), NOW + 90 * 10**9)
    assert notice.kind is Kind.RESOLVED
    assert notice.title == "broker is away (seen 5000x)"
    assert notice.body == "it answers\nIt lasted 90 s."
    assert ledger.troubles() == ()
    assert titles(ledger.offer(alert(), NOW + 91 * 10**9)) == ["broker is away"]


def test_the_end_of_a_trouble_that_nobody_was_told_of_is_not_told() -> None:
    ledger = Ledger(AlertsConfig(per_minute=1))
    assert ledger.offer(alert(resolved=True), NOW) == []
    ledger.offer(alert("first"), NOW)
    assert ledger.offer(alert("held"), NOW) == []
    assert ledger.offer(alert("held", resolved=True), NOW + 1) == []


def test_what_is_too_much_is_held_back_and_summed_up_while_pages_pass() -> None:
    ledger = Ledger(AlertsConfig(per_minute=3))
    told = [ledger.offer(alert(f"w{i}"), NOW + i) for i in range(10)]
    assert sum(map(len, told)) == 3
    assert len(ledger.offer(alert("p", Severity.PAGE), NOW + 20)) == 1
    assert ledger.due(NOW + MINUTE // 2) == []
    (summary,) = ledger.due(NOW + 2 * MINUTE)
    assert summary.title == "7 alerts held back (more than 3 a minute)"
    assert "1x warn: w9 is away" in summary.body
    assert summary.severity is Severity.WARN
    assert ledger.due(NOW + 3 * MINUTE) == []


def test_trades_of_a_minute_are_one_message() -> None:
    ledger = Ledger(AlertsConfig())
    for i in range(40):
        fill = alert(f"fill-{i}", Severity.TRADE, title=f"bought {i} AAPL")
        assert ledger.offer(fill, NOW + i) == []
    assert ledger.due(NOW + MINUTE - 1) == []
    (batch,) = ledger.due(NOW + MINUTE)
    assert batch.title == "40 trade events"
    assert batch.body.splitlines()[0] == "bought 0 AAPL"
    assert batch.body.endswith("... and 15 more")
    assert ledger.due(NOW + 2 * MINUTE) == []


def test_a_single_trade_keeps_its_own_title_and_a_flush_does_not_wait() -> None:
    ledger = Ledger(AlertsConfig())
    ledger.offer(alert("f", Severity.TRADE, title="bought 5 AAPL", body="at 190.10"), NOW)
    (one,) = ledger.flush(NOW + 1)
    assert (one.title, one.body) == ("bought 5 AAPL", "at 190.10")
    assert ledger.flush(NOW + 2) == []


def test_a_page_escalates_until_somebody_acknowledges_it() -> None:
    ledger = Ledger(AlertsConfig(escalate_minutes=5, escalations=3))
    ledger.offer(alert(severity=Severity.PAGE), NOW)
    assert ledger.due(NOW + 5 * MINUTE - 1) == []
    (first,) = ledger.due(NOW + 5 * MINUTE)
    assert first.kind is Kind.ESCALATION
    assert first.body.startswith("Nobody acknowledged this for 5 min (1 of 3).")
    assert ledger.due(NOW + 6 * MINUTE) == []
    assert len(ledger.due(NOW + 10 * MINUTE)) == 1
    assert ledger.acknowledge("broker")
    assert ledger.due(NOW + 60 * MINUTE) == []


@pytest.mark.parametrize("escalations", [0, 2])
def test_a_page_escalates_no_more_often_than_configured(escalations: int) -> None:
    ledger = Ledger(AlertsConfig(escalations=escalations))
    ledger.offer(alert(severity=Severity.PAGE), NOW)
    told = [ledger.due(NOW + minute * MINUTE) for minute in range(100)]
    assert sum(map(len, told)) == escalations


def test_a_resolved_page_or_a_warning_does_not_escalate() -> None:
    ledger = Ledger(AlertsConfig())
    ledger.offer(alert("warning"), NOW)
    ledger.offer(alert("page", Severity.PAGE), NOW)
    ledger.offer(alert("page", resolved=True), NOW + 1)
    assert [ledger.due(NOW + minute * MINUTE) for minute in range(1, 60)] == [[]] * 59


def test_nothing_can_be_acknowledged_that_is_not_open() -> None:
    assert not Ledger(AlertsConfig()).acknowledge("nothing")


def test_a_restart_neither_repeats_nor_forgets_an_open_page() -> None:
    before = Ledger(AlertsConfig())
    before.offer(alert(severity=Severity.PAGE), NOW)
    after = Ledger(AlertsConfig())
    after.restore(before.troubles())
    assert after.offer(alert(severity=Severity.PAGE), NOW + MINUTE) == []
    assert [one.kind for one in after.due(NOW + 5 * MINUTE)] == [Kind.ESCALATION]
    assert [one.kind for one in after.offer(alert(resolved=True), NOW + 6 * MINUTE)] == [
        Kind.RESOLVED
    ]


def test_a_trouble_that_nobody_reports_for_a_day_is_forgotten() -> None:
    ledger = Ledger(AlertsConfig())
    ledger.offer(alert(), NOW)
    ledger.due(NOW + FORGOTTEN)
    assert len(ledger.troubles()) == 1
    ledger.due(NOW + FORGOTTEN + 1)
    assert ledger.troubles() == ()


def test_memory_is_bounded_and_pages_are_the_last_to_go() -> None:
    ledger = Ledger(AlertsConfig())
    ledger.offer(alert("page", Severity.PAGE), NOW)
    for i in range(3_000):
        ledger.offer(alert(f"w{i}"), NOW)
    keys = [one.alert.key for one in ledger.troubles()]
    assert len(keys) == 2_000
    assert keys[0] == "page"
    assert keys[-1] == "w2999"
