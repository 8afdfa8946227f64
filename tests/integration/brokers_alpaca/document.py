"""Alpaca's OpenAPI document: checks of requests against it, and a mock server made from it."""

import asyncio
import contextlib
import json
import warnings
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema
from aiohttp import web


class Document:
    """The document, and what it says of a request.

    Parameters
    ----------
    path : Path
        The JSON file.
    """

    def __init__(self, path: Path) -> None:
        self.body: dict[str, Any] = json.loads(path.read_text())

    def faults(self, method: str, path: str, query: str, body: bytes) -> list[str]:
        """Return what the document has against a request; empty when it allows it."""
        found = self._operation(method, path)
        if found is None:
            return [f"no {method} {path}"]
        faults = []
        known = {one["name"]: one for one in map(self._resolved, found.get("parameters", []))}
        for name, text in parse_qsl(query, keep_blank_values=True):
            parameter = known.get(name)
            if parameter is None or parameter["in"] != "query":
                faults.append(f"{method} {path}: no parameter {name}")
            else:
                faults += self._against(parameter["schema"], _value(parameter["schema"], text))
        if body:
            media = self._resolved(found["requestBody"])["content"]["application/json"]
            faults += self._against(media["schema"], json.loads(body))
            known_fields = self._resolved(media["schema"])["properties"].keys()
            faults += [f"no field {name}" for name in json.loads(body).keys() - known_fields]
        return faults

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        parts = path.split("/")
        for template, item in self.body["paths"].items():
            wanted = template.split("/")
            fits = len(wanted) == len(parts) and all(
                one == other or one.startswith("{")
                for one, other in zip(wanted, parts, strict=True)
            )
            if fits and method.lower() in item:
                return {
                    **item[method.lower()],
                    "parameters": [
                        *item.get("parameters", []),
                        *item[method.lower()].get("parameters", []),
                    ],
                }
        return None

    def _resolved(self, node: Mapping[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            target: Any = self.body
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return dict(node)

    def _against(self, schema: Mapping[str, Any], value: object) -> list[str]:
        whole = {**schema, "components": self.body["components"]}
        validator = jsonschema.Draft202012Validator(whole)
        return [f"{list(one.path)}: {one.message}" for one in validator.iter_errors(value)]


def _value(schema: Mapping[str, Any], text: str) -> object:
    """Return a query's text as what the document says it is."""
    match schema.get("type"):
        case "integer":
            return int(text) if text.isdecimal() else text
        case "boolean":
            return {"true": True, "false": False}.get(text, text)
        case "array":
            return text.split(",")
    return text


def older(node: Any) -> Any:
    """Write a document of version 3.1 as one of 3.0, which the mock server reads."""
    if isinstance(node, list):
        return [older(one) for one in node]
    if not isinstance(node, dict):
        return node
    # Keys are checked elsewhere; the mock has none to compare with.
    left_out = ("examples", "security", "securitySchemes", "servers")
    made = {key: older(value) for key, value in node.items() if key not in left_out}
    if isinstance(made.get("openapi"), str):
        made["openapi"] = "3.0.3"
    kinds = made.get("type")
    if isinstance(kinds, list):
        del made["type"]
        left = [kind for kind in kinds if kind != "null"]
        if "null" in kinds:
            made["nullable"] = True
        if len(left) == 1:
            made["type"] = left[0]
        else:
            made["anyOf"] = [{"type": kind} for kind in left]
    return made


class Mock:
    """A generic mock server of the document: validates every request, answers with examples."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.seen: list[tuple[str, str, str, bytes]] = []
        self.answers: list[tuple[int, str]] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve; yield the base URL."""
        # connexion imports what starlette deprecates.
        with warnings.catch_warnings(action="ignore"):
            import connexion
            from connexion.mock import MockResolver

        made = connexion.AsyncApp(__name__)
        spec = older(json.loads(self._path.read_text()))
        made.add_api(spec, resolver=MockResolver(mock_all=True))
        with made.test_client() as client:

            async def forward(request: web.Request) -> web.Response:
                body = await request.read()
                self.seen.append((request.method, request.path, request.query_string, body))
                answer = await asyncio.to_thread(
                    client.request,
                    request.method,
                    str(request.rel_url),
                    content=body,
                    headers={
                        key: value
                        for key, value in request.headers.items()
                        if key.lower() not in ("host", "connection", "accept-encoding")
                    },
                )
                self.answers.append((answer.status_code, answer.text))
                return web.Response(
                    status=answer.status_code,
                    body=answer.content,
                    content_type=answer.headers.get("content-type", "text/plain").split(";")[0],
                )

            app = web.Application()
            app.router.add_route("*", "/{path:.*}", forward)
            runner = web.AppRunner(app, shutdown_timeout=0.2)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            try:
                yield f"http://127.0.0.1:{runner.addresses[0][1]}"
            finally:
                await runner.cleanup()
                await asyncio.sleep(0.01)
