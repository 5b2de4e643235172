"""Limits as callers see them, over HTTP: headers, caps that are made to fit, usage and quotes."""

from typing import Any

import pytest

from gateway_fixtures import OPENAI_SECRET, Answered, Scene

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}


async def a_key(scene: Scene, **fields: Any) -> str:
    path = "/api/providers/openai/credential"
    await scene.running.call("PUT", path, {"secret": OPENAI_SECRET})
    unlimited = {"requests_per_minute": None, "tokens_per_minute": None}
    return await scene.running.new_key(**{**unlimited, **fields})


async def asked(
    scene: Scene, key: str, path: str = "/v1/chat/completions", *, shrink: str = "", **fields: Any
) -> Answered:
    headers = {"Authorization": f"Bearer {key}"}
    if shrink:
        headers["X-LangRoute-Shrink"] = shrink
    body = fields if "messages" in fields or path != "/v1/chat/completions" else CHAT | fields
    async with scene.running.http.post(path, json=body, headers=headers) as response:
        return await Answered.of(response)


async def test_whole_answers_streams_and_failures_tell_every_limit(scene: Scene) -> None:
    key = await a_key(
        scene,
        requests_per_minute=5,
        limits=[
            {"measure": "money", "amount": "1.50", "per": "month"},
            {"measure": "parallel", "amount": 3},
        ],
    )
    scene.openai.will(scene.openai.default, times=2)
    scene.openai.fail(status=500)
    answers = [
        await asked(scene, key),
        await asked(scene, key, stream=True),
        await asked(scene, key, model="gpt-4o"),
    ]
    assert [answered.status for answered in answers] == [200, 200, 502]
    for left, answered in zip(("4", "3", "2"), answers, strict=True):
        assert answered.headers["x-ratelimit-remaining-requests"] == left
        policy = answered.headers["ratelimit-policy"]
        assert [part.split(";", 1)[1] for part in policy.split(", ")] == [
            "q=5;w=60",
            'q=1500000;qu="micro-usd"',
            'q=3;qu="concurrent-requests"',
        ]
        assert len(answered.headers["ratelimit"].split(", ")) == 3
    assert "x-langroute-cost" in answers[0].headers


async def test_a_soft_limit_warns_and_lets_in(scene: Scene) -> None:
    soft = {"measure": "tokens", "amount": 1, "per": "day", "soft": True}
    answered = await asked(scene, await a_key(scene, limits=[soft]), stream=True)
    assert answered.status == 200
    assert answered.headers["x-langroute-warning"] == "tokens a day of the key"


async def test_a_refusal_says_whose_limit_it_was_and_when_to_come_back(scene: Scene) -> None:
    running = scene.running
    made = await running.call(
        "POST",
        "/api/teams",
        {"name": "web", "limits": [{"measure": "requests", "amount": 1, "per": "hour"}]},
    )
    assert made.status == 201, made
    key = await a_key(scene, team=made.body["id"], requests_per_minute=100)
    assert (await asked(scene, key)).status == 200
    refused = await asked(scene, key)
    assert refused.status == 429
    message = refused.body["error"]["message"]
    assert "of the team 'web': limit 1, used 1, requested 1. Please try again in" in message
    assert refused.headers["x-langroute-limit-of"] == "team web"
    name = refused.headers["x-langroute-limit"]
    assert name.startswith("team-requests-")
    wait = refused.headers["retry-after"]
    assert f'"{name}";r=0;t={wait}' in refused.headers["ratelimit"]
    assert 3_500 < int(wait) <= 3_615


async def test_refusals_and_failures_tell_the_same_whatever_was_asked_for(scene: Scene) -> None:
    model = {"model": "gpt-4o-mini"}
    calls: dict[str, dict[str, Any]] = {
        "/v1/chat/completions": CHAT,
        "/v1/messages": CHAT | {"max_tokens": 5},
        "/v1/responses": model | {"input": "Hi"},
        "/v1/completions": model | {"prompt": "Hi"},
        "/v1/embeddings": model | {"input": "Hi"},
        "/v1/images/generations": model | {"prompt": "Hi"},
        "/v1/audio/speech": model | {"input": "Hi", "voice": "alloy"},
    }
    told = {"ratelimit", "ratelimit-policy", "x-request-id"}
    told |= {f"x-ratelimit-{what}-requests" for what in ("limit", "remaining", "reset")}
    for path, body in calls.items():
        streams: tuple[dict[str, Any], ...] = ({}, {"stream": True})
        for stream in streams:
            if stream and path.split("/")[2] in ("embeddings", "audio"):
                continue
            scene.openai.fail(status=400)
            key = await a_key(scene, requests_per_minute=1, tokens_per_minute=None)
            failed = await asked(scene, key, path, **body, **stream)
            refused = await asked(scene, key, path, **body, **stream)
            assert (failed.status in (400, 502), refused.status) == (True, 429), (path, failed)
            assert told <= failed.headers.keys() & refused.headers.keys(), path
            assert {"retry-after", "x-langroute-limit", "x-langroute-limit-of"} <= set(
                refused.headers
            ), path


async def test_a_cap_that_does_not_fit_is_lowered_in_every_dialect(scene: Scene) -> None:
    key = await a_key(scene, tokens_per_minute=800)
    first = await asked(scene, key, shrink="true", max_tokens=5_000)
    assert first.status == 200
    assert first.headers["x-langroute-shrunk-from"] == "5000"
    cap = int(first.headers["x-langroute-output-cap"])
    assert 600 < cap < 800
    assert scene.openai.seen[-1].output_cap == cap
    refused = await asked(scene, key, max_tokens=5_000)
    assert (refused.status, refused.body["error"]["type"]) == (429, "tokens")
    for path, body in (
        ("/v1/messages", CHAT | {"max_tokens": 5_000}),
        ("/v1/responses", {"model": "gpt-4o-mini", "input": "Hi", "max_output_tokens": 5_000}),
        ("/v1/completions", {"model": "gpt-4o-mini", "prompt": "Hi", "max_tokens": 5_000}),
    ):
        answered = await asked(scene, key, path, shrink="true", **body)
        assert answered.headers["x-langroute-shrunk-from"] == "5000", answered
        assert int(answered.headers["x-langroute-output-cap"]) < 800


async def test_a_route_may_shrink_and_a_wrong_wish_is_named(scene: Scene) -> None:
    key = await a_key(scene, tokens_per_minute=800)
    route = {"targets": [{"provider": "openai", "model": "gpt-4o-mini"}], "shrink": True}
    defined = await scene.running.call("PUT", "/api/routes/small", route)
    assert defined.body["shrink"] is True
    answered = await asked(scene, key, model="small", max_tokens=5_000)
    assert answered.headers["x-langroute-shrunk-from"] == "5000"
    assert (await asked(scene, key, model="small", shrink="false", max_tokens=5_000)).status == 429
    wrong = await asked(scene, key, shrink="perhaps")
    assert (wrong.status, wrong.body["error"]["param"]) == (400, "x-langroute-shrink")


@pytest.mark.parametrize(
    ("path", "fields", "param"),
    [
        ("/v1/chat/completions", {"web_search_options": {}}, "web_search_options"),
        ("/v1/responses", {"input": "Hi", "previous_response_id": "r"}, "previous_response_id"),
        ("/v1/responses", {"input": "Hi", "tools": [{"type": "web_search"}]}, "tools.0.type"),
        (
            "/v1/messages",
            {
                "messages": CHAT["messages"],
                "max_tokens": 5,
                "tools": [{"type": "web_search_20250305", "name": "web_search"}],
            },
            "tools.0.type",
        ),
    ],
)
async def test_what_has_no_bound_is_refused_where_tokens_are_limited(
    scene: Scene, path: str, fields: dict[str, Any], param: str
) -> None:
    limited, free = await a_key(scene, tokens_per_minute=10**6), await a_key(scene)
    body = {"model": "gpt-4o-mini", **fields}
    refused = await asked(scene, limited, path, **(CHAT | body if "chat" in path else body))
    assert refused.status == 400, refused
    error = refused.body["error"]
    assert f"'{param}'" in error["message"]
    assert "tokens a minute of the key" in error["message"]
    if "messages" not in path:
        assert (error["param"], error["code"]) == (param, "unbounded_request")
    assert scene.openai.seen == []
    allowed = await asked(scene, free, path, **(CHAT | body if "chat" in path else body))
    assert "unbounded" not in str(allowed.body)


async def test_what_has_no_bound_is_let_in_as_a_debt_where_its_route_says_so(scene: Scene) -> None:
    targets = [{"provider": "openai", "model": "gpt-4o-mini"}]
    route = {"targets": targets, "unbounded": "debt"}
    defined = await scene.running.call("PUT", "/api/routes/searching", route)
    assert defined.body["unbounded"] == "debt"
    key = await a_key(scene, tokens_per_minute=1_000)
    # What it finds is input that nobody could tell beforehand.
    found = {"prompt_tokens": 1_500, "completion_tokens": 5, "total_tokens": 1_505}
    body: dict[str, Any] = {
        **CHAT,
        "model": "searching",
        "web_search_options": {},
        "max_tokens": 50,
    }
    quote = {"endpoint": "/v1/chat/completions", "body": body}
    quoted = await scene.running.call("POST", "/v1/quote", quote, key=key)
    assert (quoted.body["is_admitted"], quoted.body["unbounded"]) == (True, "web_search_options")

    scene.openai.say("Found.", usage=found)
    answered = await asked(scene, key, **body)
    assert answered.status == 200, answered
    assert answered.headers["x-ratelimit-remaining-tokens"] == "0"
    (entry,) = await scene.running.entries()
    assert sum(entry["usage"].values()) == 1_505
    (limit,) = (await scene.running.call("GET", "/v1/usage", key=key)).body["limits"]
    assert limit["used"] == "1505"
    refused = await asked(scene, key)
    assert (refused.status, refused.body["error"]["type"]) == (429, "tokens")


async def test_a_key_is_told_where_it_stands_and_nothing_of_others(scene: Scene) -> None:
    running = scene.running
    made = await running.call(
        "POST",
        "/api/teams",
        {"name": "web", "limits": [{"measure": "money", "amount": "2", "per": "month"}]},
    )
    assert made.status == 201, made
    key, other = [
        await a_key(
            scene,
            name=name,
            team=made.body["id"],
            requests_per_minute=5,
            limits=[
                {"measure": "tokens", "amount": 1_000, "per": "day", "model": "gpt-4o*"},
                {"measure": "requests", "amount": 2, "per": "day", "end_user": "*"},
            ],
        )
        for name in ("mine", "other")
    ]
    await asked(scene, key, user="ann")
    await asked(scene, other)
    await running.entries(2)
    usage = (await running.call("GET", "/v1/usage?user=ann", key=key)).body
    assert usage["key"]["name"] == "mine"
    used = {(each["scope"], each["measure"], each["per"]): each for each in usage["limits"]}
    assert len(usage["limits"]) == len(used) == 4
    assert used["key", "requests", "minute"]["used"] == "1"
    assert used["key", "requests", "minute"]["remaining"] == "4"
    assert used["key", "requests", "day"]["used"] == "1"
    assert int(used["key", "tokens", "day"]["used"]) > 0
    (money,) = (each for each in usage["limits"] if each["measure"] == "money")
    assert money["scope"] == "team"
    assert money["scope_name"] == "web"
    mine = usage["today"]
    assert mine["calls"] == 1
    assert [line["name"] for line in mine["models"]] == ["gpt-4o-mini"]
    assert 0 < float(mine["cost_usd"]) < float(money["used"])
    assert usage["this_month"]["cost_usd"] == mine["cost_usd"]
    nobody = (await running.call("GET", "/usage", key=key)).body["limits"]
    assert [each["used"] for each in nobody if each["end_user"] == "*"] == [None]
    assert (await running.call("GET", "/v1/usage")).status == 401


async def test_a_quote_tells_what_a_call_can_cost_and_whether_it_is_let_in(scene: Scene) -> None:
    key = await a_key(scene, tokens_per_minute=800, requests_per_minute=1)

    async def quoted(shrink: str = "", **fields: Any) -> dict[str, Any]:
        asked_for = {"endpoint": "/v1/chat/completions", "body": CHAT | fields}
        answered = await asked(scene, key, "/v1/quote", shrink=shrink, **asked_for)
        assert answered.status == 200, answered
        return dict(answered.body)

    fits = await quoted(max_tokens=100)
    assert fits["is_admitted"]
    assert fits["output_tokens_bound"] == 100
    assert fits["input_tokens_bound"] > 0
    assert fits["targets"][0]["provider"] == "openai"
    assert fits["cost_bound_usd"] == fits["targets"][0]["cost_bound_usd"]
    assert [each["used"] for each in fits["limits"]] == ["0", "0"]
    large = await quoted(max_tokens=5_000)
    assert not large["is_admitted"]
    assert large["refusal"]["scope"] == "key"
    assert {each["scope_name"] for each in large["limits"]} == {large["refusal"]["scope_name"]}
    assert large["refusal"]["amount"] == "800"
    assert large["refusal"]["fits_at"] is None
    assert (await quoted("true", max_tokens=5_000))["shrunk_from"] == 5_000
    assert scene.openai.seen == []

    answered = await asked(scene, key, max_tokens=100)
    assert answered.status == 200
    assert float(answered.headers["x-langroute-cost"]) <= float(fits["cost_bound_usd"])
    spent = await quoted(max_tokens=1)
    assert spent["refusal"]["name"].startswith("key-requests-")
    assert 50 < spent["refusal"]["retry_after_s"] < 61
    assert spent["refusal"]["fits_at"] is not None


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "endpoint"),
        ({"endpoint": "/v1/nothing", "body": {}}, "endpoint"),
        ({"endpoint": "/v1/embeddings", "body": {}, "model": "m"}, "model"),
        ({"endpoint": "/v1/chat/completions"}, "body"),
        ({"endpoint": "/v1/chat/completions", "body": {"model": "m"}}, "messages"),
        ({"endpoint": "embeddings", "body": {"input": "Hi"}}, "model"),
        ([], None),
    ],
)
async def test_a_quote_of_what_is_no_call_is_refused(
    scene: Scene, body: object, param: str | None
) -> None:
    refused = await scene.running.call("POST", "/v1/quote", body, key=scene.key)
    assert (refused.status, refused.body["error"]["param"]) == (400, param)


async def test_other_endpoints_are_quoted_too(scene: Scene) -> None:
    for endpoint, body in (
        ("/v1/messages", CHAT | {"max_tokens": 7}),
        ("responses", {"model": "gpt-4o-mini", "input": "Hi", "max_output_tokens": 7}),
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "Hi"}),
    ):
        asked_for = {"endpoint": endpoint, "body": body}
        quoted = await scene.running.call("POST", "/v1/quote", asked_for, key=scene.key)
        assert quoted.body["is_admitted"], quoted
        assert quoted.body["output_tokens_bound"] in (0, 7)
