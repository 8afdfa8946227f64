"""What one recording session is, as its files and statistics state it."""

import msgspec

from tradingd.config.record import RecordConfig


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How finely and within which bounds; the `settings` of the session statistics."""

    levels: int
    interval_ms: int
    on_change: bool
    messages: bool
    max_streams: int
    minutes: int
    flush_seconds: float
    buffer_rows: int
    stale_seconds: float


class SessionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Provenance of everything a session writes; `began` is wall time, UTC ns."""

    tradingd: str
    source: str
    label: str
    replayed: bool
    began: int
    settings: Settings


def settings_of(config: RecordConfig) -> Settings:
    """Return what the statistics state of a configuration."""
    return Settings(**{name: getattr(config, name) for name in Settings.__struct_fields__})
