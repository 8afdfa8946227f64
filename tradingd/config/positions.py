"""Find the line of a key in a YAML file, for messages."""

from pathlib import Path
from typing import Any

import yaml

from tradingd.config.keys import KeyPath


def line_of(file: Path, path: KeyPath) -> int | None:
    """Return the line of a key; the path may begin with the group that the file is an option of."""
    node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    for start in range(len(path)):
        if (line := _node_line(node, path[start:])) is not None:
            return line
    return None


def _node_line(node: Any, path: KeyPath) -> int | None:
    line = None
    for part in path:
        if not isinstance(node, yaml.MappingNode):
            return line
        pair = next((pair for pair in node.value if pair[0].value == part), None)
        if pair is None:
            return None
        line, node = pair[0].start_mark.line + 1, pair[1]
    return line
