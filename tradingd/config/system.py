"""The whole configuration of one run."""

from typing import Annotated

from msgspec import Meta

from tradingd.config.alerts import AlertsConfig
from tradingd.config.backfill import BackfillConfig
from tradingd.config.base import Group
from tradingd.config.broker import BrokerConfig
from tradingd.config.depth import DepthConfig
from tradingd.config.execution import ExecutionConfig
from tradingd.config.features import FeaturesConfig
from tradingd.config.feed import FeedConfig
from tradingd.config.mode import ModeConfig
from tradingd.config.model import ModelConfig
from tradingd.config.record import RecordConfig
from tradingd.config.registry import RegistryConfig
from tradingd.config.risk import RiskConfig
from tradingd.config.scan import ScanConfig
from tradingd.config.schedule import ScheduleConfig
from tradingd.config.session import SessionConfig
from tradingd.config.source import SourceConfig
from tradingd.config.store import StoreConfig
from tradingd.config.strategy import StrategyConfig, kind_of, members
from tradingd.config.supervision import SupervisionConfig
from tradingd.config.sync import SyncConfig
from tradingd.config.telemetry import TelemetryConfig
from tradingd.config.training import TrainingConfig
from tradingd.config.universe import UniverseConfig


class SystemConfig(Group, frozen=True, kw_only=True):
    """One frozen tree; every group of `conf/` is a field of the same name."""

    mode: ModeConfig
    broker: BrokerConfig
    source: SourceConfig
    store: StoreConfig
    universe: UniverseConfig
    strategy: StrategyConfig
    risk: RiskConfig
    execution: ExecutionConfig
    session: SessionConfig
    feed: FeedConfig
    schedule: ScheduleConfig
    supervision: SupervisionConfig
    alerts: AlertsConfig
    telemetry: TelemetryConfig
    sync: SyncConfig
    depth: DepthConfig
    record: RecordConfig
    backfill: BackfillConfig
    scan: ScanConfig
    features: FeaturesConfig
    model: ModelConfig
    training: TrainingConfig
    registry: RegistryConfig
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1, description="Seed of every random choice.")] = 7


def strategy_name(config: SystemConfig) -> str:
    """Return the kind of the configured strategy, or of each one joined by ``+``."""
    return "+".join(kind_of(one) for one in members(config.strategy))
