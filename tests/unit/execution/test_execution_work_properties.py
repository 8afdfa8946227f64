"""Whatever the market, the clock and the broker do: one child, no share too many, an end."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tradingd.config.execution import LimitStyle
from tradingd.execution.work import Cancel, Command, End, Over, Place, Task, Work

SECOND = 1_000_000_000


class Market(RuleBasedStateMachine):
    """A broker that fills, cancels late, loses track and refuses, in any order."""

    @initialize(
        quantity=st.integers(1, 300),
        entry=st.booleans(),
        early=st.integers(0, 100),
        length=st.integers(1, 2_000),
        timeout=st.integers(1, 90),
        reprices=st.integers(0, 4),
        slices=st.integers(1, 4),
        interval=st.integers(1, 200),
        accept=st.sampled_from([1.0, 50.0, 80.0, 100.0]),
    )
    def begin(
        self, quantity, entry, early, length, timeout, reprices, slices, interval, accept
    ) -> None:
        self.now = 1_000 * SECOND
        opens = self.now + (early - 50) * SECOND
        self.until = max(opens, self.now) + length * SECOND
        task = Task(quantity=quantity, entry=entry, started=self.now, opens=opens, until=self.until)
        style = LimitStyle(
            timeout_seconds=timeout,
            reprices=reprices,
            slices=slices,
            slice_seconds=interval,
            accept_percent=accept,
        )
        self.work = Work(task, style)
        self.bought = 0
        self.child: list[int] = []
        self.late = 0
        self.ended: End | None = None
        self.prices = 0
        self.most = (reprices + 1) * slices
        self.take(self.work.begin(self.now))

    def take(self, command: Command | None) -> None:
        match command:
            case Place(quantity=quantity, limit=limit):
                assert not self.child, "two children at once"
                assert quantity >= 1
                assert self.bought + quantity <= self.work.quantity
                assert self.ended is None
                if limit:
                    assert self.now < self.until
                    self.prices += 1
                else:
                    assert not self.work.task.entry, "an entry never goes to the market"
                self.child = [quantity]
            case Cancel():
                assert self.child
            case End(filled, remainder, why):
                assert self.ended is None
                assert not self.child, "the end with a child out"
                assert why
                self.ended = command
                assert filled == self.bought
                assert remainder == max(0, self.work.quantity - self.bought)

    @rule(seconds=st.integers(0, 400))
    def clock(self, seconds: int) -> None:
        due = self.work.deadline
        self.now += seconds * SECOND
        found = self.work.on_time(self.now)
        if due is not None and self.now < due:
            assert found is None
        self.take(found)

    @precondition(lambda self: self.child)
    @rule(share=st.floats(0.01, 1))
    def fill(self, share: float) -> None:
        shares = max(1, round(self.child[0] * share))
        self.child[0] -= shares
        self.bought += shares
        self.take(self.work.on_fill(shares))
        if not self.child[0]:
            self.over(Over.FILLED)

    @precondition(lambda self: self.child)
    @rule(how=st.sampled_from([Over.CANCELED, Over.EXPIRED, Over.REFUSED]))
    def over(self, how: Over) -> None:
        self.late = self.child[0]
        self.child = []
        self.take(self.work.on_over(how, self.now))

    @precondition(lambda self: self.child and not self.bought)
    @rule()
    def deny(self) -> None:
        # Only what was just asked for is denied; nothing of it has been told.
        if self.work.out == self.child[0] and not self.work.taken_back:
            self.child = []
            self.take(self.work.denied("a limit"))

    @rule()
    def let_go(self) -> None:
        self.take(self.work.let_go("the strategy cancels"))

    def teardown(self) -> None:
        if not hasattr(self, "work"):
            return
        for _ in range(2 * self.most + 10):
            if self.ended is not None:
                break
            if self.child:
                self.take(self.work.on_time(max(self.now, self.work.deadline or 0)))
                if self.child and (self.work.taken_back or self.work.at_market):
                    self.over(Over.CANCELED)
            else:
                assert self.work.deadline is not None, "nothing is out and nothing is waited for"
                self.now = max(self.now, self.work.deadline)
                self.take(self.work.on_time(self.now))
        assert self.ended is not None, "it never ended"
        assert self.ended.filled + self.ended.remainder == self.work.quantity
        assert self.bought <= self.work.quantity
        assert self.prices <= self.most


Market.TestCase.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)
TestWhateverHappens = Market.TestCase
