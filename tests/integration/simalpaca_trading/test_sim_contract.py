"""Alpaca's published OpenAPI document against the server: conversations and generated requests."""

import json
import warnings
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, strategies

from tests.integration.simalpaca_trading.exchange_kit import KEYS, Exchange
from tests.integration.simalpaca_trading.wishes_kit import changes, wishes

pytestmark = pytest.mark.real_data

OPERATIONS = [
    ("GET", "/v2/account"),
    ("GET", "/v2/account/configurations"),
    ("PATCH", "/v2/account/configurations"),
    ("GET", "/v2/account/activities"),
    ("GET", "/v2/account/activities/{activity_type}"),
    ("GET", "/v2/account/portfolio/history"),
    ("POST", "/v2/orders"),
    ("GET", "/v2/orders"),
    ("DELETE", "/v2/orders"),
    ("GET", "/v2/orders/{order_id}"),
    ("PATCH", "/v2/orders/{order_id}"),
    ("DELETE", "/v2/orders/{order_id}"),
    ("GET", "/v2/orders:by_client_order_id"),
    ("GET", "/v2/positions"),
    ("DELETE", "/v2/positions"),
    ("GET", "/v2/positions/{symbol_or_asset_id}"),
    ("DELETE", "/v2/positions/{symbol_or_asset_id}"),
    ("GET", "/v2/assets"),
    ("GET", "/v2/assets/{symbol_or_asset_id}"),
    ("GET", "/v2/clock"),
    ("GET", "/v2/calendar"),
]
BOTH_OF_ONE = "/v2/account/activities/{activity_type}"
"""The document wants an activity to be of exactly one of two forms, and lets every object be of
both: nothing can satisfy that. The list of all types says `anyOf`."""

REFUSALS = {400, 401, 403, 404, 405, 422}
QUIET = hypothesis.settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def contract(real_data):
    """The document, in the variant that alpaca-py's own requests satisfy."""
    import schemathesis

    text = (real_data / "alpaca" / "trading-api.relaxed.json").read_text()
    return schemathesis.openapi.from_dict(json.loads(text))


@pytest.fixture(scope="module")
def session(shared):
    """A connection that is logged in; every test meets the book as the one before left it."""
    import requests

    shared.bar("SPY", "100")
    with requests.Session() as made:
        made.headers.update(KEYS)
        yield made


@pytest.fixture
def says(shared, contract, session) -> Callable[..., Any]:
    """Send a request of the conversation, judge its answer by the document, return the body."""

    def say(method: str, template: str, body: Any = None, query: Any = None, **path: str) -> Any:
        url = shared.url + template.format(**path)
        answer = session.request(method, url, json=body, params=query)
        assert answer.status_code < 300, answer.text
        if template != BOTH_OF_ONE:
            contract[template][method].validate_response(answer)
        return answer.json() if answer.content else None

    return say


def order(**more: Any) -> dict[str, Any]:
    plain = {"symbol": "SPY", "side": "buy", "qty": "10", "type": "market", "time_in_force": "day"}
    return plain | more


def test_every_answer_of_a_conversation_has_the_published_form(shared: Exchange, says):
    orders, one, position = "/v2/orders", "/v2/orders/{order_id}", "/v2/positions"
    says("GET", "/v2/account")
    says("PATCH", "/v2/account/configurations", {"no_shorting": False})
    legs = {"take_profit": {"limit_price": "110"}, "stop_loss": {"stop_price": "90"}}
    says("POST", orders, order())
    bracket = says("POST", orders, order(order_class="bracket", **legs))
    away = order(type="limit", limit_price="95", time_in_force="gtc")
    resting = says("POST", orders, away)
    new = says("PATCH", one, {"limit_price": 95.5, "qty": 3}, order_id=resting["id"])
    trailing = order(side="sell", type="trailing_stop", trail_percent=1.5, qty="5")
    says("POST", orders, trailing)
    for query in ({}, {"status": "all", "nested": "true"}, {"status": "closed", "limit": 3}):
        says("GET", orders, query=query)
    for made in (bracket, resting, new):
        says("GET", one, order_id=made["id"], query={"nested": "true"})
        query = {"client_order_id": made["client_order_id"]}
        says("GET", "/v2/orders:by_client_order_id", query=query)
    says("GET", position)
    spot = says("GET", "/v2/positions/{symbol_or_asset_id}", symbol_or_asset_id="SPY")
    says("DELETE", one, order_id=new["id"])
    says("DELETE", orders)
    says("DELETE", "/v2/positions/{symbol_or_asset_id}", query={"qty": "2"},
         symbol_or_asset_id=spot["asset_id"])  # fmt: skip
    action = {"symbol": "SPY", "ex_date": "2023-11-20", "ts": shared.ts}
    shared.tell("corporate_action", kind="dividend", amount="0.25", **action)
    shared.tell("adjust", kind="fee", symbol="", cash="-1")
    says("DELETE", position, query={"cancel_orders": "true"})
    says("GET", "/v2/account/activities")
    for kind in ("FILL", "DIV", "FEE"):
        found = says("GET", "/v2/account/activities/{activity_type}", activity_type=kind)
        assert found
    says("GET", "/v2/account/portfolio/history")
    says("GET", "/v2/assets")
    says("GET", "/v2/assets/{symbol_or_asset_id}", symbol_or_asset_id="SPY")
    says("GET", "/v2/clock")
    says("GET", "/v2/calendar", query={"start": "2023-11-01", "end": "2023-12-31"})


@pytest.mark.parametrize(("method", "template"), OPERATIONS)
def test_generated_requests_are_answered_as_published(shared, contract, session, method, template):
    from schemathesis.checks import CHECKS, load_all_checks
    from schemathesis.generation import GenerationMode

    load_all_checks()
    checks = [CHECKS.get_one("not_a_server_error"), CHECKS.get_one("response_schema_conformance")]
    operation = contract[template][method]
    documented = {int(code) for code in operation.definition.raw["responses"]}
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        @hypothesis.settings(QUIET, max_examples=10)
        def check(case: Any) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer = case.call(base_url=shared.url, session=session, headers=KEYS)
            assert answer.status_code in documented | REFUSALS, answer.text
            if template != BOTH_OF_ONE or not answer.json():
                case.validate_response(answer, checks=checks)

        check()


def test_orders_as_clients_make_them_have_the_published_form(shared, contract, session):
    taken = []

    @hypothesis.given(body=wishes(), change=changes(), price=strategies.integers(80, 120))
    @hypothesis.settings(QUIET, max_examples=100)
    def check(body: dict[str, Any], change: dict[str, Any], price: int) -> None:
        answer = session.post(f"{shared.url}/v2/orders", json=body)
        assert answer.status_code in {200, 403, 422}, answer.text
        if answer.status_code != 200:
            assert {"code", "message"} <= set(answer.json())
            return
        taken.append(body)
        contract["/v2/orders"]["POST"].validate_response(answer)
        url = f"{shared.url}/v2/orders/{answer.json()['id']}"
        changed = session.patch(url, json=change)
        assert changed.status_code in {200, 403, 422}, changed.text
        shared.bar("SPY", str(price))
        listed = session.get(f"{shared.url}/v2/orders?status=all&nested=true&limit=500")
        contract["/v2/orders"]["GET"].validate_response(listed)
        positions = session.get(f"{shared.url}/v2/positions")
        contract["/v2/positions"]["GET"].validate_response(positions)

    check()
    assert len(taken) > 20, "orders that clients make are mostly taken"
