"""A sweep runs hundreds of engines in one process."""

from tests.integration.engine.engine_kit import Script, daily, simulate
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
