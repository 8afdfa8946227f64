"""Ask the broker for a comparison, over a connection of our own."""

from tradingd.app.verify.connect import Asked
from tradingd.app.verify.facts import Theirs
from tradingd.domain.broker import BrokerUnavailable
from tradingd.kits.failure import ExitCode, Failure


async def ask_broker(broker: Asked, since: int) -> Theirs:
    """Return what the broker says now; fills and adjustments from a broker time on.

    Raises
    ------
    Failure
        BROKER when it does not answer.
    """
    try:
        return Theirs(
            account=await broker.account(),
            positions=await broker.positions(),
            orders=await broker.open_orders(),
            fills=await broker.fills(since),
            adjustments=await broker.adjustments(since),
        )
    except BrokerUnavailable as error:
        raise Failure(
            "the broker does not answer",
            code=ExitCode.BROKER,
            where="verify",
            found=str(error),
            next_step="nothing was compared; see that the broker is up, then verify again",
        ) from error
