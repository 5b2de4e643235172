"""What limits of organizations, teams and keys do to calls."""

import asyncio
from typing import Any

import pytest

from gateway_fixtures import Answered, Scene


@pytest.fixture
async def shared(scene: Scene) -> Scene:
    """With a credential that serves every key."""
    secret = {"secret": scene.openai.credential}
    saved = await scene.running.call("PUT", "/api/providers/openai/credential", secret)
    assert saved.status == 200, saved
    return scene


async def define(scene: Scene, path: str, **fields: Any) -> dict[str, Any]:
    made = await scene.running.call("POST", path, fields)
    assert made.status == 201, made
    return dict(made.body)


async def tagged(scene: Scene, key: str, *tags: str, path: str = "chat/completions") -> Answered:
    body: dict[str, Any] = {"model": "text-embedding-3-small", "input": "Hi"}
    if path == "chat/completions":
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}
    headers = [("Authorization", f"Bearer {key}"), *(("x-langroute-tag", tag) for tag in tags)]
    url = f"/v1/{path}"
    async with scene.running.http.post(url, json=body, headers=headers) as r:
        return await Answered.of(r)


async def test_a_teams_limit_holds_for_its_keys_together(shared: Scene) -> None:
    limit = {"measure": "requests", "amount": 5, "per": "hour"}
    await define(shared, "/api/teams", name="research", limits=[limit])
    keys = [await shared.running.new_key(team="research") for _ in range(2)]
    other = await shared.running.new_key()

    answers = await asyncio.gather(*(shared.running.chat(key) for key in keys for _ in range(4)))

    statuses = sorted(answer.status for answer in answers)
    assert statuses == [200] * 5 + [429] * 3
    assert len(shared.openai.seen) == 5
    refused = next(answer for answer in answers if answer.status == 429)
    error = refused.body["error"]
    assert (
        "requests in 3600 s of the team 'research': limit 5, used 5, requested 1"
        in error["message"]
    )
    assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
    assert 0 < int(refused.headers["retry-after"]) <= 3620
    assert (await shared.running.chat(other)).status == 200


async def test_an_organizations_budget_refuses_the_keys_of_all_its_teams(shared: Scene) -> None:
    budget = {"measure": "money", "amount": "0.01", "per": "day", "zone": "Asia/Tokyo"}
    await define(shared, "/api/organizations", name="acme", limits=[budget])
    keys = []
    for name in ("research", "sales"):
        await define(shared, "/api/teams", name=name, organization="acme")
        keys.append(await shared.running.new_key(team=name))
    first = await shared.running.chat(keys[0], max_tokens=10)
    assert first.status == 200, first

    # Together they ask for more than is left: nobody knows yet what they will use.
    refused = await shared.running.chat(keys[1], max_tokens=20_000)

    assert refused.status == 429, refused
    error = refused.body["error"]
    assert (error["type"], error["code"]) == ("insufficient_quota", "insufficient_quota")
    assert "money a day of the organization 'acme': limit $0.01" in error["message"]
    assert (await shared.running.chat(keys[1], max_tokens=10)).status == 200


async def test_a_model_without_a_price_is_refused_to_a_key_with_a_budget(shared: Scene) -> None:
    route = {"targets": [{"provider": "openai", "model": "nobody-knows-what-it-costs"}]}
    await shared.running.call("PUT", "/api/routes/unpriced", route)
    budget = {"measure": "money", "amount": 100, "per": "ever"}
    poor = await shared.running.new_key(limits=[budget])
    warned = await shared.running.new_key(limits=[{**budget, "soft": True}])
    free = await shared.running.new_key()

    refused = await shared.running.chat(poor, model="unpriced")

    assert refused.status == 403, refused
    error = refused.body["error"]
    assert (error["code"], error["param"]) == ("model_unpriced", "model")
    assert "money of the key" in error["message"]
    assert (await shared.running.chat(poor)).status == 200
    for key in (warned, free):
        assert (await shared.running.chat(key, model="unpriced")).status == 200


async def test_end_users_are_counted_apart(shared: Scene) -> None:
    limit = {"measure": "requests", "amount": 1, "per": "hour", "end_user": "*"}
    key = await shared.running.new_key(limits=[limit])
    assert (await shared.running.chat(key, user="ann")).status == 200

    refused = await shared.running.chat(key, user="ann")

    assert refused.status == 429, refused
    assert "of end user '*' of the key" in refused.body["error"]["message"]
    assert (await shared.running.chat(key, user="bob")).status == 200
    # Nobody in particular is no end user.
    assert [(await shared.running.chat(key)).status for _ in range(2)] == [200, 200]


async def test_tags_are_counted_apart_in_chats_and_operations(shared: Scene) -> None:
    limit = {"measure": "requests", "amount": 2, "per": "hour", "tag": "night*"}
    key = await shared.running.new_key(limits=[limit])
    assert (await tagged(shared, key, "night-1")).status == 200
    assert (await tagged(shared, key, "night-1", path="embeddings")).status == 200

    for path in ("chat/completions", "embeddings"):
        assert (await tagged(shared, key, "night-1", path=path)).status == 429
        assert (await tagged(shared, key, "night-2", path=path)).status == 200
        assert (await tagged(shared, key, "day", path=path)).status == 200
        assert (await tagged(shared, key, path=path)).status == 200


@pytest.mark.parametrize("path", ["chat/completions", "embeddings"])
@pytest.mark.parametrize("tags", [("",), ("x" * 65,), ("a\tb",), ("é",), ("a", "b")])
async def test_a_tag_that_is_none_is_refused_by_its_name(
    shared: Scene, path: str, tags: tuple[str, ...]
) -> None:
    refused = await tagged(shared, shared.key, *tags, path=path)

    assert refused.status == 400, refused
    assert refused.body["error"]["param"] == "x-langroute-tag"
    assert not shared.openai.seen
    assert (await tagged(shared, shared.key, "x" * 64, path=path)).status == 200


async def test_models_are_allowed_by_key_team_and_organization(shared: Scene) -> None:
    await define(shared, "/api/organizations", name="acme", allowed_models=["gpt-*"])
    team = {"name": "research", "organization": "acme", "allowed_models": ["*-mini"]}
    await define(shared, "/api/teams", **team)
    key = await shared.running.new_key(team="acme/research")
    route = {"targets": [{"provider": "openai", "model": "o3-mini"}]}
    await shared.running.call("PUT", "/api/routes/o3-mini", route)

    assert (await shared.running.chat(key)).status == 200
    for model in ("gpt-4o", "o3-mini"):
        refused = await shared.running.chat(key, model=model)
        assert (refused.status, refused.body["error"]["param"]) == (403, "model"), refused


async def test_a_soft_limit_warns(shared: Scene) -> None:
    limit = {"measure": "requests", "amount": 1, "per": "hour", "soft": True}
    key = await shared.running.new_key(limits=[limit])
    first = await shared.running.chat(key)
    assert "x-langroute-warning" not in first.headers

    second = await shared.running.chat(key)

    assert second.status == 200
    assert second.headers["x-langroute-warning"] == "requests in 3600 s of the key"


async def test_a_limit_that_is_raised_forgets_nothing_and_takes_effect_soon(shared: Scene) -> None:
    limit = {"measure": "requests", "amount": 2, "per": "hour"}
    await define(shared, "/api/teams", name="research", limits=[limit])
    key = await shared.running.new_key(team="research")
    statuses = [(await shared.running.chat(key)).status for _ in range(3)]
    assert statuses == [200, 200, 429]

    await define(shared, "/api/teams/research/limits", **{**limit, "amount": 3})

    async with asyncio.timeout(10):
        while (await shared.running.chat(key)).status != 200:
            await asyncio.sleep(0.01)
    refused = await shared.running.chat(key)
    assert refused.status == 429
    assert "limit 3, used 3" in refused.body["error"]["message"]
