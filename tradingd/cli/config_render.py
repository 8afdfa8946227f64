"""Print the results of the `tradingd config` commands for a person."""

import sys
from typing import Any

import msgspec
import yaml

from tradingd.cli import screen
from tradingd.cli.config import CheckReport, DiffReport, ExplainReport, SchemaReport, ShowReport


def check(report: CheckReport) -> None:
    """Print one OK line, and one for each warning."""
    facts = {name: getattr(report, name) for name in ("mode", "broker", "strategy", "risk")}
    words = [f"{name}={value}" for name, value in facts.items()]
    words += [f"instance={report.instance}"] if report.instance else []
    words += [f"overlay={report.overlay or 'none'}", f"hash={report.hash}"]
    sys.stdout.write("OK " + " ".join(words) + "\n")
    for warning in report.warnings:
        sys.stdout.write(f"WARNING {warning}\n")


def show(report: ShowReport) -> None:
    """Print YAML that reads back as the same configuration."""
    sys.stdout.write(f"# hash: {report.hash}\n")
    sys.stdout.write(yaml.safe_dump(report.config, sort_keys=False, allow_unicode=True))


def diff(report: DiffReport) -> None:
    """Print a table of the differing keys, or one line that says there are none."""
    if not report.differences:
        sys.stdout.write(f"no difference between {report.left_name} and {report.right_name}\n")
        return
    rows = [(one.key, _short(one.left), _short(one.right)) for one in report.differences]
    screen.table("", ("key", report.left_name, report.right_name), rows)


def explain(report: ExplainReport) -> None:
    """Print what the key means, then every layer's value; of a group, its keys."""
    if report.members:
        rows = [(one.key, _short(one.value), one.winner) for one in report.members]
        screen.table(report.description, ("key", "value", "set by"), rows)
        return
    facts = {
        "value": _short(report.value),
        "meaning": report.description,
        "expected": report.expected,
        "unit": report.unit,
        "default": "none: it must be stated" if report.required else _short(report.default),
        "set by": report.winner,
    }
    lines = [report.key, *(f"  {name:<9} {text}" for name, text in facts.items() if text)]
    sys.stdout.write("\n".join(lines) + "\n\n")
    layers = [
        (">" if one.wins else "", one.layer, _short(one.value), one.place) for one in report.layers
    ]
    screen.table("", ("", "layer (weakest first)", "value", "where"), layers)


def schema(report: SchemaReport) -> None:
    """Print the schema as indented JSON."""
    text = msgspec.json.format(msgspec.json.encode(report.schema), indent=2).decode()
    sys.stdout.write(text + "\n")


def _short(value: Any) -> str:
    if value is None:
        return "null"
    return value if isinstance(value, str) and value else msgspec.json.encode(value).decode()
