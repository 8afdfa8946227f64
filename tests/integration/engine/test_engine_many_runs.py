"""A sweep runs hundreds of engines in one process."""

from tests.integration.engine.engine_kit import Script, daily, minutes, simulate
from tradingd.domain.market import Resolution
from tradingd.domain.orders import Side


class BuyOnce(Script):
    """Holds engine objects the way a real strategy does: an order, its fill, its stop."""

    def on_bar(self, bar):
        super().on_bar(bar)
        if len(self.bars) == 1:
            self.enter(self.symbol_of(bar), Side.BUY, 10, reason="first bar", stop=5)


def test_more_runs_than_the_engine_has_room_for_end_in_one_process():
    # The engine counts its live instances in one byte; a run that is not freed uses one up.
    days = ("2024-01-02", "2024-01-03", "2024-01-04")
    rows = daily("AAA", days, [(10, 10, 10, 10)] * 3)
    for _ in range(260):
        assert simulate(BuyOnce(), rows).outcome.fills == 1


def test_timer_names_are_used_again():
    # The engine keeps every name's callback: a name per order would be memory per order.
    class Trades(Script):
        def on_bar(self, bar):
            super().on_bar(bar)
            if self.position("AAA"):
                self.exit("AAA", reason="out")
            else:
                self.enter("AAA", Side.BUY, 1, reason="in")

        def on_end(self):
            self.names = self._runtime.alerts.names

    strategy = Trades()
    rows = minutes("AAA", "2024-01-02", [(10, 10, 10, 10)] * 200)
    assert simulate(strategy, rows, Resolution.MINUTE).outcome.fills > 90
    assert strategy.names < 10
