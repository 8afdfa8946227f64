"""Group `telemetry`: metrics and logs."""

from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import Group


class TelemetryConfig(Group, frozen=True, kw_only=True):
    """Where numbers and log lines go."""

    metrics_host: Annotated[str, Meta(description="Address the metrics are served on.")] = (
        "127.0.0.1"
    )
    metrics_port: Annotated[
        int, Meta(ge=0, le=65_535, description="Port of the metrics; 0: none are served.")
    ] = 9101
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], Meta(description="Least level logged.")
    ] = "INFO"
    log_folder: Annotated[
        str, Meta(description="Also write rotated JSON files here; empty: none.")
    ] = ""
