"""Every answer is what Alpaca's published document promises, whatever is asked."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
from hypothesis import HealthCheck, strategies

from tests.integration.simalpaca_data.data_server import KEYS, ns, served, service
from tests.integration.simalpaca_data.data_store import build

# The contract tester's own dependencies warn about one another.
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning"),
]

SPAN = {"start": "2024-01-02", "end": "2024-01-05"}
MANY = {"symbols": "SPY,AAPL,TICK"}
GOOD: list[tuple[str, dict[str, str]]] = [
    ("/v1/corporate-actions", SPAN),
    ("/v2/stocks/bars", {**MANY, **SPAN, "timeframe": "1Min", "limit": "1000"}),
    ("/v2/stocks/bars", {**MANY, **SPAN, "timeframe": "1Day", "currency": "USD"}),
    ("/v2/stocks/bars", {"symbols": "NONE", **SPAN, "timeframe": "1Week"}),
    ("/v2/stocks/quotes", {**MANY, **SPAN}),
    ("/v2/stocks/trades", {**MANY, **SPAN}),
    ("/v2/stocks/bars/latest", MANY),
    ("/v2/stocks/quotes/latest", MANY),
    ("/v2/stocks/trades/latest", MANY),
    ("/v2/stocks/snapshots", MANY),
    ("/v2/stocks/{symbol}/bars", {**SPAN, "timeframe": "5Min"}),
    ("/v2/stocks/{symbol}/quotes", SPAN),
    ("/v2/stocks/{symbol}/trades", SPAN),
    ("/v2/stocks/{symbol}/bars/latest", {}),
    ("/v2/stocks/{symbol}/quotes/latest", {}),
    ("/v2/stocks/{symbol}/trades/latest", {}),
    ("/v2/stocks/{symbol}/snapshot", {}),
]
PATHS = sorted({path for path, _ in GOOD})
SENSIBLE = {
    "symbols": strategies.sampled_from(["SPY", "AAPL,SPY,NONE", "TICK", "../x", ""]),
    "timeframe": strategies.sampled_from(["1Min", "59T", "1Hour", "1Day", "1Week", "12M", "0Min"]),
    "start": strategies.sampled_from(
        ["2024-01-02", "2024-01-02T14:31:00Z", "0001-01-01", "9999-12-31T00:00:00Z", "x"]
    ),
    "end": strategies.sampled_from(["2024-01-03", "2024-01-04T14:31:00.5-05:00", "1700-01-01"]),
    "limit": strategies.sampled_from(["1", "3", "10000", "-1", "1e3", "٣"]),
    "sort": strategies.sampled_from(["asc", "desc", "ASC"]),
    "adjustment": strategies.sampled_from(["raw", "split", "all", "split,spin-off"]),
    "feed": strategies.sampled_from(["iex", "sip", "otc", "delayed_sip", "moon"]),
    "page_token": strategies.sampled_from(
        [
            "",
            "U1BZfDIwMjQtMDEtMDJUMTQ6MzE6MDBafDE=",
            "é",
            "AA",
            "U1BZfDk5OTktMTItMzFUMDA6MDA6MDBafDk=",
        ]
    ),
    "asof": strategies.sampled_from(["-", "2024-01-01", "x"]),
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in a thread of its own: the contract tester blocks."""
    root = build(tmp_path_factory.mktemp("store"))
    ready, over = threading.Event(), threading.Event()
    found: list[str] = []

    async def run() -> None:
        async with served(service(root, now=lambda: ns("2024-01-04T20:00:00"))) as address:
            found.append(address)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(20)
    yield found[0]
    over.set()
    thread.join(20)


@pytest.fixture(scope="module")
def contract(real_data: Path) -> Any:
    import schemathesis

    text = (real_data / "alpaca" / "market-data-api.json").read_text()
    return schemathesis.openapi.from_dict(json.loads(text))


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.headers.update(KEYS)
        yield made


@pytest.mark.parametrize(("path", "params"), GOOD)
def test_an_answer_has_the_published_form(
    url: str, contract: Any, session: requests.Session, path: str, params: dict[str, str]
) -> None:
    response = session.get(url + path.replace("{symbol}", "SPY"), params=params)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"].startswith("application/json")
    contract[path]["GET"].validate_response(response)


@pytest.mark.parametrize("path", PATHS)
def test_generated_requests_are_answered_as_published(
    url: str, contract: Any, session: requests.Session, path: str
) -> None:
    from schemathesis.checks import CHECKS, load_all_checks
    from schemathesis.generation import GenerationMode

    load_all_checks()
    wanted = ("not_a_server_error", "status_code_conformance", "response_schema_conformance")
    checks = [CHECKS.get_one(name) for name in wanted]
    operation = contract[path]["GET"]
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        @hypothesis.settings(
            max_examples=12,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def check(case: Any) -> None:
            response = case.call(base_url=url, session=session)
            case.validate_response(response, checks=checks)

        check()


@pytest.mark.parametrize("path", PATHS)
def test_likely_mistakes_never_break_the_server(
    url: str, session: requests.Session, path: str
) -> None:
    @hypothesis.given(
        params=strategies.fixed_dictionaries({}, optional=SENSIBLE),
        symbol=strategies.sampled_from(["SPY", "TICK", "NONE", "spy", "%2e%2e"]),
    )
    @hypothesis.settings(max_examples=25, deadline=None, derandomize=True, database=None)
    def check(params: dict[str, str], symbol: str) -> None:
        response = session.get(url + path.replace("{symbol}", symbol), params=params)
        assert response.status_code in (200, 400, 404), response.text
        body = response.json() if response.status_code != 404 else {}
        assert response.status_code != 400 or set(body) == {"code", "message"}

    check()
