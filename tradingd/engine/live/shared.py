"""The parts of a live session that all its strategies share."""

import msgspec

from tradingd.domain.trading import OrderShim
from tradingd.engine.advising import LiveAdvising
from tradingd.engine.live.bars import Delivery
from tradingd.engine.live.diary import Diary
from tradingd.engine.live.hearing import Hearing
from tradingd.engine.live.mirror import Mirror
from tradingd.engine.live.present import Present
from tradingd.engine.live.working import Working
from tradingd.gate.book import Book
from tradingd.session.calendar import SessionCalendar


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """One of each: where orders go, what is held, what time it is, who is told."""

    shim: OrderShim
    book: Book
    calendar: SessionCalendar
    present: Present
    diary: Diary
    mirror: Mirror
    working: Working
    hearing: Hearing
    delivery: Delivery
    advising: LiveAdvising
