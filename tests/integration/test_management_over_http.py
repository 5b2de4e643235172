import asyncio
from typing import Any

import pytest

from gateway_fixtures import RunningGateway, Scene, running_gateway, save_credentials


@pytest.fixture
async def running(scene: Scene) -> RunningGateway:
    return scene.running


async def test_a_key_lives_its_life(running: RunningGateway) -> None:
    made = await running.call(
        "POST",
        "/api/keys",
        {"name": "web", "requests_per_minute": 5, "allowed_models": ["gpt-*"]},
    )
    assert made.status == 201
    key_id, secret = made.body["id"], made.body["virtual_key"]
    assert made.body["tokens_per_minute"] == 200_000
    changed = await running.call(
        "PATCH", f"/api/keys/{key_id}", {"tokens_per_minute": None, "allowed_models": []}
    )
    assert changed.body["requests_per_minute"] == 5
    assert changed.body["tokens_per_minute"] is None
    assert changed.body["allowed_models"] == []
    assert changed.body["name"] == "web"
    rotated = await running.call("POST", f"/api/keys/{key_id}/rotate")
    assert rotated.body["virtual_key"] != secret
    assert (await running.call("GET", f"/api/keys/{key_id}")).body["state"] == "active"
    revoked = await running.call("DELETE", f"/api/keys/{key_id}")
    assert revoked.body["state"] == "revoked"
    again = await running.call("POST", f"/api/keys/{key_id}/rotate")
    assert again.status == 400


async def test_secrets_are_shown_once_and_stored_nowhere(scene: Scene) -> None:
    everything = str((await scene.running.call("GET", "/api/keys")).body)
    assert scene.key not in everything
    tables = ("virtual_keys", "provider_credentials", "providers", "routes", "ledger")
    async with scene.running.container.database().reading() as connection:
        for table in tables:
            rows = (await connection.exec_driver_sql(f"select * from langroute.{table}")).all()
            assert scene.key not in str(rows)
            assert str(scene.openai.credential) not in str(rows)


async def test_keys_are_listed_in_pages(running: RunningGateway) -> None:
    for number in range(5):
        await running.new_key(name=f"key {number}")
    names: list[str] = []
    after = ""
    while page := (await running.call("GET", f"/api/keys?limit=2{after}")).body["data"]:
        assert len(page) <= 2
        names += [key["name"] for key in page]
        after = f"&after={page[-1]['id']}"
    assert names == ["", *(f"key {number}" for number in range(5))]


async def test_a_route_takes_effect_at_once_and_passes_wildcards_on(scene: Scene) -> None:
    route = {
        "aliases": ["clever"],
        "targets": [{"provider": "openai", "model": "my-*", "order": 0, "weight": 2}],
    }
    defined = await scene.running.call("PUT", "/api/routes/my/*", route)
    assert defined.body["model"] == "my/*"
    assert (await scene.chat(model="my/finest")).status == 200
    assert scene.openai.seen[-1].body["model"] == "my-finest"
    removed = await scene.running.call("DELETE", "/api/routes/my/*")
    assert removed.body == {"removed": "my/*"}
    assert (await scene.chat(model="my/finest")).status == 400


async def test_one_credential_may_serve_every_key(scene: Scene) -> None:
    other = await scene.running.new_key()
    without = await scene.running.chat(other)
    assert without.status == 502
    assert without.body["error"]["code"] == "credential_missing"
    secret = {"secret": scene.openai.credential}
    await scene.running.call("PUT", "/api/providers/openai/credential", secret)
    async with asyncio.timeout(10):
        while (await scene.running.chat(other)).status != 200:
            await asyncio.sleep(0.01)
    removed = await scene.running.call("DELETE", "/api/providers/openai/credential")
    assert removed.status == 200
    gone = await scene.running.call("DELETE", "/api/providers/openai/credential")
    assert gone.status == 404


async def test_a_new_price_applies_to_calls_from_then_on(scene: Scene) -> None:
    await scene.chat()
    (before,) = await scene.running.entries()
    price = {"provider": "openai", "model": "gpt-4o-mini", "input": "1000", "output": "1000.000001"}
    price |= {"image_input": "10", "image_output": "40.5"}
    assert (await scene.running.call("POST", "/api/prices", price)).status == 201
    await scene.chat()
    after, unchanged = await scene.running.entries(2)
    assert unchanged == before
    usage = after["usage"]
    assert after["cost_usd"].startswith(f"0.{sum(usage.values()):03d}"[:5])
    listed = (await scene.running.call("GET", "/api/prices")).body["data"]
    (added,) = (row for row in listed if row["source"] == "operator")
    assert {name: added[name] for name in price} == price
    assert added["audio_input"] is None


async def test_spend_adds_up_to_the_ledger(scene: Scene) -> None:
    for model in ("gpt-4o-mini", "gpt-4o-mini", "mistral-small-latest"):
        await scene.chat(model=model)
    entries = await scene.running.entries(3)
    by_model = (await scene.running.call("GET", "/api/spend?by=model")).body["data"]
    assert {line["name"]: line["calls"] for line in by_model} == {
        "gpt-4o-mini": 2,
        "mistral-small-latest": 1,
    }
    (by_key,) = (await scene.running.call("GET", "/api/spend")).body["data"]
    assert by_key["calls"] == 3
    tokens = sum(sum(entry["usage"].values()) for entry in entries)
    assert by_key["prompt_tokens"] + by_key["completion_tokens"] == tokens
    later = (await scene.running.call("GET", "/api/spend?from=2999-01-01T00:00:00Z")).body["data"]
    assert later == []


async def test_spend_is_told_of_some_calls_alone(scene: Scene) -> None:
    running = scene.running
    team = (await running.call("POST", "/api/teams", {"name": "research"})).body["id"]
    for key in (scene.key, await running.new_key(team=team)):
        await save_credentials(running, key)
        assert (await running.chat(key, user="ann")).status == 200
        assert (await running.chat(key, model="mistral-small-latest")).status == 200
    await running.entries(4)

    async def told(query: str) -> dict[str, int]:
        answered = await running.call("GET", f"/api/spend?{query}")
        assert answered.status == 200, answered
        return {line["name"]: line["calls"] for line in answered.body["data"]}

    assert await told("by=model&team=research") == {"gpt-4o-mini": 1, "mistral-small-latest": 1}
    assert await told(f"by=team&team={team}&model=gpt-4o-mini") == {team: 1}
    assert await told("by=provider&provider=mistral") == {"mistral": 2}
    assert await told("by=model&end_user=ann") == {"gpt-4o-mini": 2}
    assert await told("by=model&end_user=") == {"mistral-small-latest": 2}
    assert await told(f"team={'0' * 32}") == {}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "param"),
    [
        ("POST", "/api/keys", {"requests_per_minute": -1}, 400, "requests_per_minute"),
        ("POST", "/api/keys", {"requests_per_minute": 10**30}, 400, "requests_per_minute"),
        ("POST", "/api/keys", {"name": "a\0b"}, 400, "name"),
        ("POST", "/api/keys", {"requests_per_minute": "5"}, 400, "requests_per_minute"),
        ("POST", "/api/keys", {"expires_at": "2001-01-01"}, 400, "expires_at"),
        ("POST", "/api/keys", {"expires_at": "9999-12-31T23:59:59-14:00"}, 400, "expires_at"),
        ("POST", "/api/keys", {"expires_at": 4102444800}, 400, "expires_at"),
        ("POST", "/api/keys", {"allowed_models": ["a*b*"]}, 400, "allowed_models"),
        ("POST", "/api/keys", {"rpm": 5}, 400, "rpm"),
        ("POST", "/api/keys", {"name": "x" * 300}, 400, "name"),
        ("POST", "/api/keys", [], 400, None),
        ("GET", "/api/keys/nonsense", None, 400, "id"),
        ("GET", "/api/keys?limit=0", None, 400, "limit"),
        ("GET", f"/api/keys?limit={'9' * 5000}", None, 400, "limit"),
        ("GET", "/api/keys/00000000-0000-0000-0000-000000000000", None, 404, None),
        ("POST", "/api/save-keys", {}, 400, "virtualKey"),
        ("POST", "/api/save-keys", {"virtualKey": "lrvk_none", "openaiKey": ""}, 401, None),
        ("PUT", "/api/providers/x", {"kind": "smoke", "base_url": "http://x"}, 400, "kind"),
        ("PUT", "/api/providers/x", {"kind": "openai", "base_url": "ftp://x"}, 400, "base_url"),
        ("PUT", "/api/providers/x", {"kind": "openai", "base_url": "http://[x"}, 400, "base_url"),
        ("PUT", "/api/providers/x", {"kind": "openai", "base_url": "http://x/\n"}, 400, "base_url"),
        ("PUT", "/api/providers/x", {"kind": "openai", "base_url": "http://x/" + "y" * 2000}, 400,
         "base_url"),
        ("PUT", "/api/providers/x", {"kind": "azure", "base_url": "https://x?key=1"}, 400,
         "base_url"),
        ("PUT", "/api/providers/x", {"kind": "azure"}, 400, "base_url"),
        ("PUT", "/api/providers/X!", {"kind": "openai", "base_url": "http://x"}, 400, "name"),
        ("PUT", "/api/providers/none/credential", {"secret": "s"}, 404, None),
        ("PUT", "/api/providers/openai/credential", {"secret": "a\nb"}, 400, "secret"),
        ("DELETE", "/api/providers/openai", None, 400, "name"),
        ("DELETE", "/api/providers/none", None, 404, None),
        ("PUT", "/api/routes/m", {"targets": []}, 400, "targets"),
        ("PUT", "/api/routes/m", {"targets": [{"provider": "none", "model": "m"}]}, 400,
         "targets.0.provider"),
        ("PUT", "/api/routes/m", {"targets": [{"provider": "openai", "model": "m", "weight": 0}]},
         400, "targets.0.weight"),
        ("PUT", "/api/routes/a%00b", {"targets": [{"provider": "openai", "model": "m"}]}, 400,
         "model"),
        ("PUT", "/api/routes/m",
         {"targets": [{"provider": "openai", "model": "m"}], "aliases": ["a**"]}, 400, "aliases"),
        ("PUT", "/api/routes/m",
         {"targets": [{"provider": "openai", "model": f"m{number}"} for number in range(51)]}, 400,
         "targets"),
        ("PUT", "/api/routes/m",
         {"targets": [{"provider": "openai", "model": "m"}], "aliases": ["a"] * 201}, 400,
         "aliases"),
        ("PUT", "/api/routes/m",
         {"targets": [{"provider": "openai", "model": "m"}], "unbounded": "allow"}, 400,
         "unbounded"),
        ("PUT", "/api/routes/m",
         {"targets": [{"provider": "openai", "model": "m"}], "shrink": "yes"}, 400, "shrink"),
        ("PUT", "/api/routes/m",
         {"targets": [{"provider": "openai", "model": "m"}], "output_cap": True}, 400,
         "output_cap"),
        ("PUT", "/api/providers/x", {"kind": "openai", "needs_credential": "no"}, 400,
         "needs_credential"),
        ("DELETE", "/api/routes/a%00b", None, 400, "model"),
        ("DELETE", "/api/providers/%00", None, 400, "name"),
        ("DELETE", "/api/providers/%00/credential", None, 400, "name"),
        ("DELETE", "/api/routes/none", None, 404, None),
        ("POST", "/api/prices", {"provider": "openai", "model": "m", "input": "1"}, 400, "output"),
        ("POST", "/api/prices", {"provider": "openai", "model": "m", "input": "-1", "output": "1"},
         400, "input"),
        ("POST", "/api/prices",
         {"provider": "openai", "model": "m", "input": "0.0000001", "output": "1"}, 400, "input"),
        ("POST", "/api/prices",
         {"provider": "openai", "model": "m", "input": "1", "output": "1", "image_output": "-1"},
         400, "image_output"),
        ("POST", "/api/prices",
         {"provider": "openai", "model": "a\0b", "input": "1", "output": "1"}, 400, "model"),
        ("POST", "/api/prices", {"provider": "openai", "model": "m", "input": "1", "output": "1",
         "effective_from": "0001-01-01T00:00:00+14:00"}, 400, "effective_from"),
        ("POST", "/api/prices/re-rate", {"provider": "openai", "model": "m",
         "from": "0001-01-01T00:00:00+14:00", "until": "2026-01-01"}, 400, "from"),
        ("POST", "/api/prices/re-rate", {"provider": "openai", "model": "m", "from": "2026-01-01",
         "until": "2026-02-01", "reason": "r", "apply": "yes"}, 400, "apply"),
        ("POST", "/api/prices/sync", {"apply": 1}, 400, "apply"),
        ("POST", "/api/prices",
         {"provider": "openai", "model": "m" * 257, "input": "1", "output": "1"}, 400, "model"),
        ("POST", "/api/prices", {"provider": "openai", "model": "m", "input": "1", "output": "1",
         "services": {"NO": {"input": "1", "output": "1"}}}, 400, "services.NO"),
        ("POST", "/api/prices/services", {"provider": "openai", "model": "m", "input": "1",
         "output": "1", "service": "default"}, 400, "service"),
        ("GET", "/api/prices?provider=openai", None, 400, "provider"),
        ("GET", "/api/prices/diff?provider=openai", None, 400, "provider"),
        ("DELETE", "/api/prices/services?provider=openai&model=m&service=flex&from=now", None, 400,
         "from"),
        ("GET", "/api/verify?key=x", None, 400, "key"),
        ("GET", "/api/teams?organization=acme", None, 400, "organization"),
        ("GET", "/api/organizations?name=acme", None, 400, "name"),
        ("GET", "/api/routes?model=m", None, 400, "model"),
        ("GET", "/api/providers?kind=openai", None, 400, "kind"),
        ("GET", "/api/spend?by=colour", None, 400, "by"),
        ("GET", "/api/spend?key=", None, 400, "key"),
        ("GET", "/api/spend?team=", None, 400, "team"),
        ("GET", "/api/spend?organization=", None, 400, "organization"),
        ("GET", "/api/ledger?key=", None, 400, "key"),
        ("GET", "/api/spend?from=yesterday", None, 400, "from"),
        ("GET", "/api/spend?from=0001-01-01T00:00:00%2B14:00", None, 400, "from"),
        ("GET", "/api/spend?until=9999-12-31T23:59:59-14:00", None, 400, "until"),
        ("GET", "/api/spend?from=2026-01-02&until=2026-01-01", None, 400, "until"),
        ("GET", "/api/spend?team=none", None, 400, "team"),
        ("GET", "/api/spend?organization=none", None, 400, "organization"),
        ("GET", "/api/spend?teem=none", None, 400, "teem"),
        ("GET", "/api/spend?model=%00", None, 400, "model"),
        ("GET", "/api/keys?most=1", None, 400, "most"),
        ("GET", "/api/audit?until=9999-12-31T23:59:59-14:00", None, 400, "until"),
        ("GET", "/api/audit?team=x", None, 400, "team"),
        ("GET", "/api/ledger?team=x", None, 400, "team"),
        ("GET", "/api/ledger?key=me", None, 400, "key"),
        ("GET", "/api/nothing", None, 404, None),
    ],
)  # fmt: skip
async def test_wrong_input_is_refused_by_its_name(
    shared_gateway: RunningGateway,
    method: str,
    path: str,
    body: Any,
    status: int,
    param: str | None,
) -> None:
    answered = await shared_gateway.call(method, path, body)
    assert answered.status == status, answered.body
    assert set(answered.body["error"]) == {"message", "type", "param", "code"}
    assert answered.body["error"]["param"] == param, answered.body


async def test_with_an_admin_key_nobody_else_administers(database_url: str) -> None:
    admin_key = "the-admin-key-of-the-test"
    async with running_gateway(database_url, admin_key=admin_key) as running:
        for wrong in (None, "wrong", "the-admin-key-of-the-tesT"):
            refused = await running.call("GET", "/api/keys", key=wrong)
            assert refused.status == 401
        assert (await running.call("GET", "/api/keys", key=admin_key)).status == 200


async def test_without_development_or_an_admin_key_administration_is_off(
    database_url: str,
) -> None:
    async with running_gateway(database_url, dev=False) as running:
        refused = await running.call("POST", "/api/generate-virtual-key")
        assert refused.status == 403
        assert "LANGROUTE_ADMIN_KEY" in refused.body["error"]["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"X-Forwarded-For": "203.0.113.7"},
    ],
)
async def test_in_development_no_other_web_page_administers(
    shared_gateway: RunningGateway, headers: dict[str, str]
) -> None:
    path = "/api/generate-virtual-key"
    async with shared_gateway.http.post(path, headers=headers) as response:
        assert response.status == 403
    own = {"Origin": "http://localhost:3000"}
    async with shared_gateway.http.post(path, headers=own) as response:
        assert response.status == 200
        assert list(await response.json()) == ["virtualKey"]


async def test_the_gateway_tells_whether_it_is_well(shared_gateway: RunningGateway) -> None:
    assert (await shared_gateway.call("GET", "/healthz")).status == 200
    assert (await shared_gateway.call("GET", "/readyz")).status == 200
