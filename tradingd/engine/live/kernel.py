"""The engine's own node, with our two clients and nothing else."""

from typing import Any, Final

from nautilus_trader.common import CacheConfig, Environment, LoggerConfig
from nautilus_trader.config import (
    DataClientConfig,
    ExecutionClientConfig,
    LiveExecutionEngineConfig,
    LiveNodeConfig,
    LiveRiskEngineConfig,
)
from nautilus_trader.live import LiveNodeBuilder
from nautilus_trader.model import TraderId

from tradingd.engine.live.clients import NAME, Bars, Orders

_BARS_KEPT: Final = 16


def built(bars: Bars, orders: Orders) -> Any:
    """Return a node with our two clients; it opens no socket, logs nothing, keeps no database."""
    config = LiveNodeConfig(
        environment=Environment.LIVE,
        trader_id=TraderId("TRADINGD-001"),
        load_state=False,
        save_state=False,
        logging=LoggerConfig(bypass_logging=True),
        timeout_connection_secs=10.0,
        timeout_disconnection_secs=2.0,
        delay_post_stop_secs=0.0,
        timeout_shutdown_secs=2.0,
        cache=CacheConfig(bar_capacity=_BARS_KEPT, tick_capacity=_BARS_KEPT),
        # The gate judges; a second judge with another book would only disagree.
        risk_engine=LiveRiskEngineConfig(bypass=True),
        exec_engine=LiveExecutionEngineConfig(reconciliation=False),
    )
    builder = LiveNodeBuilder.from_config("tradingd", config)
    builder.add_data_client(NAME, bars, DataClientConfig())
    builder.add_exec_client(NAME, orders, ExecutionClientConfig())
    return builder.build()
