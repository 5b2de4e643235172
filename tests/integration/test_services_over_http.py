"""A service that answers sooner costs more: it is held back, and paid for."""

from decimal import Decimal
from typing import Any

import pytest

from gateway_fixtures import Scene

_PRICE = {
    "provider": "openai",
    "model": "gpt-4o-mini",
    "input": "100",
    "output": "100",
    "services": {
        "priority": {"input": "200", "output": "200"},
        "flex": {"input": "50", "output": "50"},
    },
}
_RATES = {"input": "1", "output": "1"}
_MANY_TIERS = [{**_RATES, "above_prompt_tokens": number} for number in range(1, 22)]


async def _cost_a_token(scene: Scene, **fields: Any) -> tuple[int, str | None]:
    answered = await scene.chat(**fields)
    assert answered.status == 200, answered.body
    entry = (await scene.running.entries())[0]
    for _ in range(500):
        entry = (await scene.running.entries())[0]
        if entry["request_id"] == answered.headers["x-request-id"]:
            break
    tokens = sum(entry["usage"].values())
    cost = Decimal(entry["cost_usd"]) * 10**6 / tokens
    assert cost == int(cost)
    return int(cost), entry["service"]


@pytest.mark.parametrize("stream", [False, True])
async def test_each_service_is_charged_at_its_own_price(scene: Scene, *, stream: bool) -> None:
    defined = await scene.running.call("POST", "/api/prices", _PRICE)
    assert defined.status == 201, defined.body
    assert defined.body["services"]["flex"]["input"] == "50"

    assert await _cost_a_token(scene, stream=stream) == (100, None)
    told = {"stream": stream, "service_tier": "priority"}
    assert await _cost_a_token(scene, **told) == (200, "priority")
    assert await _cost_a_token(scene, **told | {"service_tier": "flex"}) == (50, "flex")
    assert await _cost_a_token(scene, **told | {"service_tier": "auto"}) == (100, None)
    assert await _cost_a_token(scene, **told | {"service_tier": "scale"}) == (100, "scale")


@pytest.mark.parametrize(
    ("services", "param"),
    [
        ({"priority": {"input": "1"}}, "services.priority.output"),
        ({"Priority": {"input": "1", "output": "1"}}, "services.Priority"),
        ({"flex": {"input": "1", "output": "1", "services": {}}}, "services.flex.services"),
        ({"flex": {**_RATES, "tiers": _MANY_TIERS}}, "services.flex.tiers"),
        ({"flex": {**_RATES, "units": {"pages": "1"}}}, "services.flex.units"),
        ({f"s{number}": _RATES for number in range(21)}, "services"),
    ],
)
async def test_a_wrong_service_is_refused_by_its_name(
    scene: Scene, services: Any, param: str
) -> None:
    refused = await scene.running.call("POST", "/api/prices", {**_PRICE, "services": services})

    assert (refused.status, refused.body["error"]["param"]) == (400, param)


async def test_a_budget_refuses_a_dearer_service_that_has_no_price(scene: Scene) -> None:
    running = scene.running
    (key,) = (await running.call("GET", "/api/keys")).body["data"]
    limit = {"measure": "money", "amount": "100", "per": "month"}
    limited = await running.call("POST", f"/api/keys/{key['id']}/limits", limit)
    assert limited.status < 300, limited.body
    own = {name: value for name, value in _PRICE.items() if name != "services"}
    await running.call("POST", "/api/prices", own)

    refused = await scene.chat(service_tier="priority")
    assert (refused.status, refused.body["error"]["code"]) == (403, "model_unpriced")
    for cheap in ("flex", "default", "auto"):
        assert (await scene.chat(service_tier=cheap)).status == 200
    await running.call("POST", "/api/prices", _PRICE)
    assert (await scene.chat(service_tier="priority")).status == 200
