"""The published contract of the control socket: every verb and every message as JSON Schema."""

from typing import Any, Final

import msgspec

from tradingd.control import messages as m
from tradingd.control.answers import Done, Event, Index
from tradingd.control.verbs import ACTING, EVENTS, EVENTS_SUMMARY, LOOKING

_REFERENCE: Final = "#/$defs/{name}"


def contract() -> dict[str, Any]:
    """Return the document that `contracts/control.v1.schema.json` holds."""
    kinds = [
        Index, Event, m.EventsQuery, m.ErrorBody, Done,
        *(kind for verb in LOOKING for kind in (verb.query, verb.answer)),
        *(verb.request for verb in ACTING),
    ]  # fmt: skip
    unique = list(dict.fromkeys(kinds))
    _, definitions = msgspec.json.schema_components(unique, ref_template=_REFERENCE)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Control socket of tradingd",
        "version": m.VERSION,
        "description": "HTTP and JSON over a Unix socket. A refusal is an ErrorBody with a status"
        " of 400 or more. Fields may be added within a version.",
        "verbs": [_index(), *_looking(), _events(), *_acting()],
        "$defs": dict(sorted(definitions.items())),
    }


def _index() -> dict[str, Any]:
    return {"method": "GET", "path": "/", "answer": _named(Index)}


def _looking() -> list[dict[str, Any]]:
    return [
        {
            "method": "GET",
            "path": verb.path,
            "summary": verb.summary,
            "query": _named(verb.query),
            "answer": _named(verb.answer),
        }
        for verb in LOOKING
    ]


def _events() -> dict[str, Any]:
    return {
        "method": "GET",
        "path": EVENTS,
        "summary": EVENTS_SUMMARY,
        "query": _named(m.EventsQuery),
        "answer_line": _named(Event),
    }


def _acting() -> list[dict[str, Any]]:
    return [
        {
            "method": "POST",
            "path": verb.path,
            "summary": verb.summary,
            "request": _named(verb.request),
            "answer": _named(Done),
            "confirm": verb.danger or "never",
            "takes_risk_away": verb.calming,
        }
        for verb in ACTING
    ]


def _named(kind: type[m.Message]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(name=kind.__name__)}


def encoded() -> bytes:
    """Return the document as the file's bytes."""
    return msgspec.json.format(msgspec.json.encode(contract()), indent=2) + b"\n"
