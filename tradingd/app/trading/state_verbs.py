"""The verbs that set a trading state: pause, resume, halt, flatten."""

import asyncio
from collections.abc import Sequence
from typing import Final

from tradingd.app.trading.commands import Flattener, StateKeeper, known_scope, timed
from tradingd.app.trading.facts import Facts
from tradingd.control import messages as m
from tradingd.control.answers import Done, PositionView
from tradingd.domain.orders import Purpose
from tradingd.domain.states import Scope, TradingState
from tradingd.domain.trading import OrderShim
from tradingd.kits.failure import ExitCode, Failure

_PERSIST_SECONDS: Final = 0.5
"""How long cancels wait for the journal to take the halt that they belong to."""


class StateVerbs:
    """Sets what may leave, and brings the account there.

    Parameters
    ----------
    facts : Facts
        Which scopes there are, what is held, whether the kill switch is latched.
    keeper : StateKeeper
        Sets trading states.
    flattener : Flattener
        Closes what is open.
    shim : OrderShim
        Where orders are cancelled.
    """

    def __init__(
        self, facts: Facts, *, keeper: StateKeeper, flattener: Flattener, shim: OrderShim
    ) -> None:
        self._facts = facts
        self._keeper = keeper
        self._flattener = flattener
        self._shim = shim

    async def pause(self, request: m.PauseRequest, peer: m.Peer) -> Done:
        """Allow no increases in scope."""
        scope = self._scope(request.scope)
        before = self._keeper.current(scope)
        if before in (TradingState.HALTED, TradingState.FLATTENING, TradingState.FLAT):
            raise _stricter(scope, before)
        record = self._keeper.now(
            scope,
            TradingState.PAUSED,
            reason=request.reason,
            author=peer.name,
            minutes=request.minutes,
        )
        _, seconds = await timed(self._keeper.set(record))
        return _changed(scope, before, TradingState.PAUSED, seconds)

    async def resume(self, request: m.ResumeRequest, peer: m.Peer) -> Done:
        """Go back to RUNNING."""
        scope = self._scope(request.scope)
        before = self._keeper.current(scope)
        if before is TradingState.RUNNING:
            return Done(done=f"{scope} is RUNNING already")
        if before is TradingState.FLATTENING:
            raise _stricter(scope, before)
        held = self._facts.latched() if scope == Scope() else None
        if held is not None:
            raise Failure(
                "the kill switch is latched",
                code=ExitCode.REFUSED,
                where="latch",
                expected="a latch that was reset with a reason",
                found=held,
                next_step=f"tradingd kill --instance {self._facts.instance} --reset --reason TEXT; "
                "remove the flag file HALT if there is one",
            )
        record = self._keeper.now(
            scope, TradingState.RUNNING, reason=request.reason, author=peer.name, minutes=None
        )
        _, seconds = await timed(self._keeper.set(record))
        after = self._keeper.current(scope)
        if after is not TradingState.RUNNING:
            raise _overtaken(scope, after)
        if scope == Scope():
            self._facts.resumed()
        return _changed(scope, before, TradingState.RUNNING, seconds)

    async def halt(self, request: m.HaltRequest, peer: m.Peer) -> Done:
        """Send nothing more in scope and cancel what is open."""
        scope = self._scope(request.scope)
        before = self._keeper.current(scope)
        record = self._keeper.now(
            scope, TradingState.HALTED, reason=request.reason, author=peer.name, minutes=None
        )

        async def act() -> Sequence[str]:
            # Persisted first; but a disk that hangs or fails must not keep orders working.
            setting = asyncio.ensure_future(self._keeper.set(record))
            await asyncio.wait({setting}, timeout=_PERSIST_SECONDS)
            done = await self._shim.cancel_all(scope, reason=request.reason, author=peer.name)
            await setting
            return done

        cancelled, seconds = await timed(act())
        left = self._unprotecting(scope)
        return Done(
            done=f"{scope} is HALTED, {len(cancelled)} orders cancelled",
            changes=((str(scope), before, TradingState.HALTED),),
            orders=tuple(cancelled),
            verified=not left,
            seconds=seconds,
        )

    async def flatten(self, request: m.FlattenRequest, peer: m.Peer) -> Done:
        """Close everything in scope and verify it with the broker."""
        scope = self._scope(request.scope)
        before = self._keeper.current(scope)
        flat, seconds = await timed(
            self._flattener.flatten(
                scope, reason=request.reason, author=peer.name, then=TradingState.FLAT
            )
        )
        after = self._keeper.current(scope)
        if not flat:
            raise Failure(
                f"{scope} is not proven flat",
                code=ExitCode.NOT_FLAT,
                where=str(scope),
                expected="no position and no working order at the broker",
                found=", ".join(_held(self._facts.positions())) or "orders that are not confirmed",
                next_step="tradingctl orders; tradingctl positions; then flatten again",
            )
        return Done(
            done=f"{scope} is flat",
            changes=((str(scope), before, after),),
            verified=True,
            seconds=seconds,
        )

    def _scope(self, text: str) -> Scope:
        return known_scope(text, self._facts.strategies, self._facts.symbols)

    def _unprotecting(self, scope: Scope) -> list[str]:
        """Return orders in scope that are still open and are no protective ones."""
        return [
            row.order_id
            for row in self._shim.open_orders()
            if row.purpose != Purpose.PROTECT
            and (
                scope.kind == "account"
                or (scope.kind == "strategy" and row.strategy == scope.name)
                or (scope.kind == "symbol" and row.symbol == scope.name)
            )
        ]


def _stricter(scope: Scope, state: TradingState) -> Failure:
    return Failure(
        f"{scope} is {state}, which is stricter",
        code=ExitCode.REFUSED,
        where=str(scope),
        expected="RUNNING or PAUSED",
        found=state,
        next_step="tradingctl resume with a confirmation comes first",
    )


def _overtaken(scope: Scope, state: TradingState) -> Failure:
    return Failure(
        f"{scope} was {state} while it was being resumed",
        code=ExitCode.REFUSED,
        where=str(scope),
        expected="no other change of its state meanwhile",
        found=state,
        next_step="tradingctl status says why; then resume again",
    )


def _changed(scope: Scope, before: str, after: str, seconds: float) -> Done:
    return Done(done=f"{scope} is {after}", changes=((str(scope), before, after),), seconds=seconds)


def _held(positions: Sequence[PositionView]) -> list[str]:
    return [f"{one.quantity} {one.symbol}" for one in positions]
