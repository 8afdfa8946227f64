"""Group `supervision`: what must be alive, how fast, and what happens when it is not."""

from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import Count, Group, Percent

Seconds = Annotated[float, Meta(gt=0, extra={"unit": "seconds"})]


class SupervisionConfig(Group, frozen=True, kw_only=True):
    """Limits of the health checks and the kill switch's triggers."""

    strategy_stall_seconds: Annotated[
        Seconds, Meta(description="Strategy timer without progress: the watchdog's beat stops.")
    ] = 10.0
    journal_stall_seconds: Annotated[
        Seconds, Meta(description="Journal write not committed: sending and the beat stop.")
    ] = 5.0
    feed_warn_seconds: Annotated[
        Seconds, Meta(description="Data silence in an open market that warns.")
    ] = 30.0
    feed_block_seconds: Annotated[
        Seconds, Meta(description="Data silence that pauses entries until data is back.")
    ] = 60.0
    feed_kill_seconds: Annotated[
        Seconds, Meta(description="Data silence that trips the kill switch.")
    ] = 120.0
    feed_missed_batches: Annotated[
        float,
        Meta(
            gt=0,
            description="The three limits above are never less than 1x, 2x, 4x this many batches.",
        ),
    ] = 2.5
    ping_seconds: Annotated[
        Seconds, Meta(description="Broker round trip beyond which the broker counts as away.")
    ] = 5.0
    ping_every_seconds: Annotated[Seconds, Meta(description="Time between broker pings.")] = 5.0
    broker_errors: Annotated[
        Count, Meta(description="Broker errors within a minute that trip the kill switch; 0: off.")
    ] = 10
    kill_drawdown_percent: Annotated[
        Percent, Meta(description="Fall from the day's high that flattens and halts; 0: off.")
    ] = 3.0
    unknown_order_seconds: Annotated[
        Seconds, Meta(description="Order without a proven outcome: page.")
    ] = 60.0
    pending_order_seconds: Annotated[
        Seconds, Meta(description="Order that the broker has not acknowledged: warn.")
    ] = 300.0
    settle_seconds: Annotated[
        Seconds,
        Meta(description="How long an order must be absent at the broker to be proven lost."),
    ] = 10.0
    command_seconds: Annotated[
        Seconds, Meta(description="Wait for the broker's answer to a command; then it is unknown.")
    ] = 5.0
    execution_seconds: Annotated[
        Seconds, Meta(description="Broker's answer to a command slower than this: warn.")
    ] = 1.0
    loop_lag_ms: Annotated[
        float, Meta(gt=0, description="Event loop lag that warns.", extra={"unit": "milliseconds"})
    ] = 250.0
    memory_percent: Annotated[Percent, Meta(description="Memory of the machine in use.")] = 80.0
    cpu_percent: Annotated[Percent, Meta(description="Processor of the machine in use.")] = 90.0
    disk_free_percent: Annotated[Percent, Meta(description="Free space, the least.")] = 10.0
    disk_free_gb: Annotated[
        float, Meta(ge=0, description="Free space, the least.", extra={"unit": "GB"})
    ] = 1.0
    clock_drift_ms: Annotated[
        float, Meta(gt=0, description="Clock offset allowed.", extra={"unit": "milliseconds"})
    ] = 500.0
    stop_grace_seconds: Annotated[
        Seconds, Meta(description="Wait at shutdown for cancels to be confirmed.")
    ] = 30.0
    reconcile_every_seconds: Annotated[
        Seconds,
        Meta(description="Wall time between two comparisons of book and broker while trading."),
    ] = 60.0
    start_seconds: Annotated[
        Seconds,
        Meta(
            description="Wait at the start for a broker that does not answer (a rate limit, an "
            "outage that passes) before the start is given up."
        ),
    ] = 45.0
    foreign_orders: Annotated[
        Literal["halt", "leave"],
        Meta(
            description="Working orders at the broker that are not ours: halt, or only list them."
        ),
    ] = "halt"
