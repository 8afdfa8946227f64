"""The JSON Schema of a configuration, for editors and other programs."""

from typing import Any

import msgspec

from tradingd.config.system import SystemConfig


def json_schema() -> dict[str, Any]:
    """Return the schema of an effective configuration (`tradingd config show`)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tradingd configuration",
        **msgspec.json.schema(SystemConfig),
    }
