"""The floor over a venue that fills, denies, loses and is late as it likes."""

import itertools
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tradingd.config.execution import LimitStyle
from tradingd.domain.market import Session
from tradingd.domain.money import Nanos, nanos
from tradingd.domain.orders import Side
from tradingd.execution.floor import Floor
from tradingd.execution.venue import Child, Ended
from tradingd.execution.work import Over
from tradingd.session.calendar import SessionCalendar

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
CENT = nanos("0.01")
(SESSION,) = SessionCalendar().sessions[8000:8001]


class Peer:
    """A venue of plain numbers: children in a dictionary, a position, a stop."""

    def __init__(self) -> None:
        self.ts = SESSION.open_ns
        self.position = 0
        self.children: dict[str, Child] = {}
        self.left: dict[str, int] = {}
        self.canceling: set[str] = set()
        self.denies = False
        self.told: list[Ended] = []
        self.sent: list[Child] = []
        self._ids = itertools.count(1)

    def now(self) -> int:
        return self.ts

    def next_id(self) -> str:
        return f"W-{next(self._ids)}"

    def tick(self, symbol: str) -> Nanos:
        return CENT

    def held(self, symbol: str) -> int:
        return self.position

    def leaving(self, symbol: str) -> int:
        exits = [one for one in self.left if not self.children[one].entry]
        return sum(self.left[one] for one in exits if self.children[one].limit is None)

    def stop(self, symbol: str) -> Nanos | None:
        return nanos(90) if self.position else None

    def session(self, now: int) -> Session | None:
        return SESSION

    def place(self, child: Child) -> tuple[str, str]:
        assert child.quantity > 0
        self.sent.append(child)
        if self.denies:
            return "", "a limit"
        same = [one for one in self.left if self.children[one].parent_id == child.parent_id]
        assert not same, "two children of one order"
        if not child.entry:
            assert child.quantity <= abs(self.position)
            assert self.position * child.side.sign < 0
        child_id = f"C-{next(self._ids)}"
        self.children[child_id] = child
        self.left[child_id] = child.quantity
        return child_id, ""

    def cancel(self, child_id: str, reason: str) -> None:
        assert child_id in self.left
        self.canceling.add(child_id)

    def waits(self, child_id: str) -> bool:
        return False

    def later(self, action: Callable[[], None]) -> None:
        action()

    def wake(self, ts: int, parent_id: str, action: Callable[[], None]) -> Callable[[], None]:
        raise NotImplementedError

    def report(self, ended: Ended) -> None:
        self.told.append(ended)


class Trading(RuleBasedStateMachine):
    """A strategy, a market and an operator in any order."""

    @initialize(
        reprices=st.integers(0, 3),
        slices=st.integers(1, 3),
        accept=st.sampled_from([50.0, 80.0, 100.0]),
    )
    def open(self, reprices: int, slices: int, accept: float) -> None:
        self.peer = Peer()
        style = LimitStyle(
            reprices=reprices, slices=slices, slice_seconds=90, accept_percent=accept
        )
        self.floor = Floor(style, self.peer)
        self.floor.observe("A", nanos(100))
        self.wanted: dict[str, int] = {}
        self.got: dict[str, int] = {}

    @rule(quantity=st.integers(1, 200))
    def enter(self, quantity: int) -> None:
        if self.floor.pending("A") or self.peer.position:
            return
        found = self.floor.enter("A", Side.BUY, quantity, reason="a test", stop=nanos(90))
        if found is not None:
            self.wanted[found] = quantity

    @rule(quantity=st.none() | st.integers(1, 200))
    def exit(self, quantity: int | None) -> None:
        held = self.peer.position
        found = self.floor.exit("A", reason="enough", quantity=quantity)
        if found is not None:
            self.wanted[found] = held
            assert self.floor.leaving("A") <= held

    @rule(seconds=st.integers(1, 200), close=st.integers(90, 110))
    def bar(self, seconds: int, close: int) -> None:
        self.peer.ts += seconds * SECOND
        self.floor.observe("A", nanos(close))
        self.floor.after_bars(self.peer.ts, ["A"])

    @precondition(lambda self: self.peer.left)
    @rule(share=st.floats(0.01, 1), which=st.integers(0, 9))
    def fill(self, share: float, which: int) -> None:
        child_id = sorted(self.peer.left)[which % len(self.peer.left)]
        child = self.peer.children[child_id]
        shares = max(1, round(self.peer.left[child_id] * share))
        if not child.entry:
            shares = min(shares, max(0, -self.peer.position * child.side.sign))
        if not shares:
            return
        self.peer.left[child_id] -= shares
        self.peer.position += shares * child.side.sign
        self.got[child.parent_id] = self.got.get(child.parent_id, 0) + shares
        self.floor.filled(child_id, shares)
        if not self.peer.left[child_id]:
            self.over(child_id, Over.FILLED)

    @precondition(lambda self: self.peer.canceling)
    @rule()
    def confirm(self) -> None:
        self.over(sorted(self.peer.canceling)[0], Over.CANCELED)

    @precondition(lambda self: self.peer.left)
    @rule(how=st.sampled_from([Over.CANCELED, Over.EXPIRED, Over.REFUSED]))
    def broker(self, how: Over) -> None:
        self.over(sorted(self.peer.left)[0], how)

    @rule(denies=st.booleans())
    def gate(self, denies: bool) -> None:
        self.peer.denies = denies

    @rule()
    def stopped_out(self) -> None:
        self.peer.position = 0

    @rule()
    def cancel(self) -> None:
        for job in self.floor.jobs("A"):
            assert self.floor.cancel(job.parent_id)

    def over(self, child_id: str, how: Over) -> None:
        self.peer.canceling.discard(child_id)
        if self.peer.left.pop(child_id, None) is not None:
            self.floor.over(child_id, how)

    def teardown(self) -> None:
        if not hasattr(self, "peer"):
            return
        self.peer.ts = SESSION.close_ns
        for _ in range(10):
            self.floor.closed(self.peer.ts)
            for child_id in sorted(self.peer.left):
                self.over(child_id, Over.CANCELED)
        assert not self.floor.symbols(), "something is worked after the session"
        for parent, quantity in self.wanted.items():
            assert self.got.get(parent, 0) <= quantity
        for told in self.peer.told:
            assert told.filled == self.got.get(told.parent_id, 0)
            assert told.filled + told.remainder == told.quantity
        for child in self.peer.sent:
            assert child.limit is not None or not child.entry


Trading.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestWhateverTheVenueDoes = Trading.TestCase
