"""What a call has cost is told to its caller: in a header, or at the end of a stream; and later."""

from typing import Any

import pytest

from event_streams import told_cost, without_comments
from gateway_fixtures import Answered, Scene

MESSAGES: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 50}
DIALECTS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": MESSAGES,
    "/v1/completions": {"prompt": "Hi"},
    "/v1/responses": {"input": "Hi"},
    "/v1/messages": MESSAGES,
}


async def ask(scene: Scene, path: str, **fields: object) -> Answered:
    body = {"model": "gpt-4o-mini", **DIALECTS[path], **fields}
    return await scene.running.call("POST", path, body, key=scene.key)


@pytest.mark.parametrize("path", DIALECTS)
async def test_a_stream_tells_its_cost_behind_all_else(scene: Scene, path: str) -> None:
    answered = await ask(scene, path, stream=True)
    (entry,) = await scene.running.entries()
    assert told_cost(answered.body) == entry["cost_usd"] != "0.00"
    assert answered.body.count("x-langroute-cost") == 1
    events = without_comments(answered.body)
    assert answered.body.startswith(events)
    assert events.endswith("data: [DONE]\n\n") == ("completions" in path)


async def test_a_stream_that_breaks_off_tells_what_it_cost_all_the_same(scene: Scene) -> None:
    scene.openai.break_off(after_events=3)
    answered = await ask(scene, "/v1/chat/completions", stream=True)
    (entry,) = await scene.running.entries()
    assert '"error"' in without_comments(answered.body)
    assert told_cost(answered.body) == entry["cost_usd"] != "0.00"


async def test_a_stream_of_a_model_without_a_price_tells_no_cost(scene: Scene) -> None:
    route = {"targets": [{"provider": "openai", "model": "unheard-of"}]}
    assert (await scene.running.call("PUT", "/api/routes/unheard-of", route)).status == 200
    answered = await ask(scene, "/v1/chat/completions", model="unheard-of", stream=True)
    assert answered.body.endswith("data: [DONE]\n\n")


async def test_a_call_is_looked_up_by_its_id(scene: Scene) -> None:
    answered = await ask(scene, "/v1/chat/completions", stream=True)
    (entry,) = await scene.running.entries()
    path = f"/v1/usage/{answered.headers['x-request-id']}"
    found = await scene.running.call("GET", path, key=scene.key)
    assert found.status == 200
    assert found.headers["cache-control"] == "no-store"
    assert found.body["object"] == "call"
    assert found.body["cost_usd"] == entry["cost_usd"]
    own = set(entry) - {"key_id", "team_id", "organization_id"}
    assert {name: found.body[name] for name in own} == {name: entry[name] for name in own}
    assert set(found.body) == {"object", *own}

    correction = {"reason": "between us", "cost_usd": "0.25"}
    corrected = f"/api/ledger/{entry['request_id']}/corrections"
    assert (await scene.running.call("POST", corrected, correction)).status == 201
    again = await scene.running.call("GET", path, key=scene.key)
    assert again.body["cost_usd"] == "0.25"
    assert "between us" not in str(again.body)


async def test_a_call_of_another_key_is_unknown(scene: Scene) -> None:
    answered = await ask(scene, "/v1/chat/completions")
    await scene.running.entries()
    other = await scene.running.new_key()
    for call in (answered.headers["x-request-id"], f"req_{'0' * 32}"):
        refused = await scene.running.call("GET", f"/v1/usage/{call}", key=other)
        assert (refused.status, refused.body["error"]["code"]) == (404, "not_found")
    wrong = await scene.running.call("GET", "/v1/usage/no-id", key=scene.key)
    assert (wrong.status, wrong.body["error"]["param"]) == (400, "id")
    assert (await scene.running.call("GET", "/v1/usage/no-id")).status == 401
