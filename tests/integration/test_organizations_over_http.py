"""Organizations, teams and their limits, as administrators define them over HTTP."""

from typing import Any

import pytest

from gateway_fixtures import RunningGateway, Scene

NOBODY = "00000000-0000-0000-0000-000000000000"
BUDGET: dict[str, Any] = {
    "measure": "money",
    "amount": "100.00",
    "per": "month",
    "zone": "Europe/Berlin",
    "model": "gpt-*",
    "end_user": "*",
    "tag": None,
    "soft": True,
}


@pytest.fixture
async def running(scene: Scene) -> RunningGateway:
    return scene.running


def without_id(limit: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in limit.items() if name != "id"}


async def test_an_organization_lives_its_life(running: RunningGateway) -> None:
    order = {"name": "acme", "allowed_models": ["gpt-*"], "limits": [BUDGET]}
    made = await running.call("POST", "/api/organizations", order)
    assert made.status == 201, made
    assert (made.body["name"], made.body["allowed_models"]) == ("acme", ["gpt-*"])
    assert [without_id(limit) for limit in made.body["limits"]] == [BUDGET]
    for named in ("acme", made.body["id"]):
        assert (await running.call("GET", f"/api/organizations/{named}")).body == made.body
    listed = await running.call("GET", "/api/organizations")
    assert listed.body["data"] == [made.body]

    # What was read may be sent back; what is left out stays.
    again = {"limits": made.body["limits"]}
    same = await running.call("PATCH", "/api/organizations/acme", again)
    assert same.body == made.body
    renamed = await running.call("PATCH", "/api/organizations/acme", {"name": "ACME Ltd."})
    assert renamed.body == {**made.body, "name": "ACME Ltd."}
    change: dict[str, Any] = {"limits": [], "allowed_models": []}
    emptied = await running.call("PATCH", f"/api/organizations/{made.body['id']}", change)
    assert (emptied.body["limits"], emptied.body["allowed_models"]) == ([], [])

    removed = await running.call("DELETE", f"/api/organizations/{made.body['id']}")
    assert removed.body == {"removed": "ACME Ltd."}
    assert (await running.call("GET", "/api/organizations")).body["data"] == []


async def test_a_team_lives_its_life(running: RunningGateway) -> None:
    for name in ("acme", "other"):
        await running.call("POST", "/api/organizations", {"name": name})
    order = {"name": "research", "organization": "acme", "limits": [BUDGET]}
    made = await running.call("POST", "/api/teams", order)
    assert made.status == 201, made
    assert made.body["organization"] == "acme"
    assert (await running.call("GET", "/api/teams/research")).body == made.body
    in_use = await running.call("DELETE", "/api/organizations/acme")
    assert (in_use.status, in_use.body["error"]["param"]) == (400, "organization")
    assert "research" in in_use.body["error"]["message"]

    change = {"organization": "other", "name": "lab", "limits": []}
    moved = await running.call("PATCH", "/api/teams/research", change)
    assert (moved.body["organization"], moved.body["name"], moved.body["limits"]) == (
        "other",
        "lab",
        [],
    )
    assert (await running.call("DELETE", "/api/organizations/acme")).status == 200
    left = await running.call("PATCH", "/api/teams/lab", {"organization": None})
    assert (left.body["organization"], left.body["name"]) == (None, "lab")
    assert (await running.call("GET", "/api/teams")).body["data"] == [left.body]
    assert (await running.call("DELETE", "/api/teams/lab")).body == {"removed": "lab"}


async def test_a_key_joins_a_team_and_leaves_it(running: RunningGateway) -> None:
    await running.call("POST", "/api/organizations", {"name": "acme"})
    for organization in ("acme", None):
        team = {"name": "research", "organization": organization}
        assert (await running.call("POST", "/api/teams", team)).status == 201
    order = {"name": "app", "team": "acme/research", "limits": [BUDGET]}
    made = await running.call("POST", "/api/keys", order)
    assert made.status == 201, made
    path = f"/api/keys/{made.body['id']}"
    assert made.body["team"] == "acme/research"
    assert [without_id(limit) for limit in made.body["limits"]] == [BUDGET]
    assert made.body["requests_per_minute"] == 60

    renamed = await running.call("PATCH", path, {"name": "new"})
    assert renamed.body["team"] == "acme/research"
    assert renamed.body["limits"] == made.body["limits"]
    in_use = await running.call("DELETE", f"/api/teams/{made.body['team_id']}")
    assert (in_use.status, in_use.body["error"]["param"]) == (400, "team")
    assert "new" in in_use.body["error"]["message"]
    moved = await running.call("PATCH", path, {"team": "research", "limits": []})
    assert (moved.body["team"], moved.body["limits"]) == ("research", [])
    left = await running.call("PATCH", path, {"team": None})
    assert (left.body["team"], left.body["team_id"]) == (None, None)
    assert (await running.call("DELETE", f"/api/teams/{made.body['team_id']}")).status == 200


async def test_limits_are_set_and_lifted_one_by_one(running: RunningGateway) -> None:
    await running.call("POST", "/api/organizations", {"name": "acme"})
    await running.call("POST", "/api/teams", {"name": "research"})
    key = (await running.call("POST", "/api/keys", {})).body["id"]
    for path in ("/api/organizations/acme", "/api/teams/research", f"/api/keys/{key}"):
        first = await running.call("POST", f"{path}/limits", BUDGET)
        assert first.status == 201, first
        parallel = {"measure": "parallel", "amount": 5}
        second = (await running.call("POST", f"{path}/limits", parallel)).body
        assert (second["amount"], second["per"], second["zone"]) == ("5", "ever", None)
        # The same calls, counted in the same way: the same limit.
        raised = {**BUDGET, "amount": "250", "soft": False}
        third = (await running.call("POST", f"{path}/limits", raised)).body
        assert (third["id"], third["amount"]) == (first.body["id"], "250.00")

        listed = (await running.call("GET", f"{path}/limits")).body["data"]
        assert sorted(limit["id"] for limit in listed) == sorted([third["id"], second["id"]])
        assert (await running.call("GET", path)).body["limits"] == listed
        lifted = await running.call("DELETE", f"{path}/limits/{third['id']}")
        assert lifted.body == {"removed": third["id"]}
        assert (await running.call("GET", f"{path}/limits")).body["data"] == [second]
        gone = await running.call("DELETE", f"{path}/limits/{third['id']}")
        assert (gone.status, gone.body["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("per", "told"),
    [
        (60, "minute"),
        ("minute", "minute"),
        (3600, "hour"),
        ("hour", "hour"),
        (1, 1),
        (86_400, 86_400),
        ("day", "day"),
        ("week", "week"),
        ("month", "month"),
        ("ever", "ever"),
    ],
)
async def test_every_window_reads_back(running: RunningGateway, per: object, told: object) -> None:
    order = {"name": "acme", "limits": [{"measure": "tokens", "amount": 7, "per": per}]}
    made = await running.call("POST", "/api/organizations", order)
    assert made.status == 201, made
    (limit,) = made.body["limits"]
    assert (limit["per"], limit["amount"]) == (told, "7")
    assert limit["zone"] == ("UTC" if told in {"day", "week", "month"} else None)
    assert (await running.call("GET", "/api/organizations/acme")).body == made.body


def limited(**fields: Any) -> dict[str, Any]:
    return {"name": "acme", "limits": [{"measure": "money", "amount": 1, "per": "day", **fields}]}


LIMIT = {"measure": "requests", "amount": 1, "per": "day"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "param"),
    [
        ("POST", "/api/organizations", {}, 400, "name"),
        ("POST", "/api/organizations", {"name": " "}, 400, "name"),
        ("POST", "/api/organizations", {"name": "a\0b"}, 400, "name"),
        ("POST", "/api/organizations", {"name": "a/b"}, 400, "name"),
        ("POST", "/api/organizations", {"name": NOBODY}, 400, "name"),
        ("POST", "/api/organizations", {"name": "x" * 201}, 400, "name"),
        ("POST", "/api/organizations", {"name": "a", "allowed_models": ["**"]}, 400,
         "allowed_models"),
        ("POST", "/api/organizations", {"name": "a", "budget": 5}, 400, "budget"),
        ("POST", "/api/organizations", {"name": "a", "limits": [{}]}, 400, "limits.0.measure"),
        ("POST", "/api/organizations", limited(measure="wishes"), 400, "limits.0.measure"),
        ("POST", "/api/organizations", limited(amount=-1), 400, "limits.0.amount"),
        ("POST", "/api/organizations", limited(amount=True), 400, "limits.0.amount"),
        ("POST", "/api/organizations", limited(amount="NaN"), 400, "limits.0.amount"),
        ("POST", "/api/organizations", limited(amount="1e400"), 400, "limits.0.amount"),
        ("POST", "/api/organizations", limited(amount="1e-400"), 400, "limits.0.amount"),
        ("POST", "/api/organizations", limited(amount="0.0000000000001"), 400, "limits.0.amount"),
        ("POST", "/api/organizations", limited(measure="tokens", amount="1.5"), 400,
         "limits.0.amount"),
        ("POST", "/api/organizations", limited(per=None), 400, "limits.0.per"),
        ("POST", "/api/organizations", limited(per="year"), 400, "limits.0.per"),
        ("POST", "/api/organizations", limited(per=0), 400, "limits.0.per"),
        ("POST", "/api/organizations", limited(per=1.5), 400, "limits.0.per"),
        ("POST", "/api/organizations", limited(per=True), 400, "limits.0.per"),
        ("POST", "/api/organizations", limited(per=10**30), 400, "limits.0.per"),
        ("POST", "/api/organizations", limited(per=31 * 86_400 + 1), 400, "limits.0.per"),
        ("POST", "/api/organizations", limited(measure="parallel"), 400, "limits.0.per"),
        ("POST", "/api/organizations", limited(zone="Mars/Olympus"), 400, "limits.0.zone"),
        ("POST", "/api/organizations", limited(zone="../UTC"), 400, "limits.0.zone"),
        ("POST", "/api/organizations", limited(zone="\0"), 400, "limits.0.zone"),
        ("POST", "/api/organizations", limited(per="hour", zone="UTC"), 400, "limits.0.zone"),
        ("POST", "/api/organizations", limited(model=""), 400, "limits.0.model"),
        ("POST", "/api/organizations", limited(model="a*b*"), 400, "limits.0.model"),
        ("POST", "/api/organizations", limited(end_user="\0"), 400, "limits.0.end_user"),
        ("POST", "/api/organizations", limited(tag="x" * 201), 400, "limits.0.tag"),
        ("POST", "/api/organizations", limited(soft=1), 400, "limits.0.soft"),
        ("POST", "/api/organizations", {"name": "a", "limits": [LIMIT, {**LIMIT, "amount": 2}]},
         400, "limits.1"),
        ("POST", "/api/organizations",
         {"name": "a", "limits": [{**LIMIT, "per": seconds} for seconds in range(1, 52)]},
         400, "limits"),
        ("GET", "/api/organizations/none", None, 404, None),
        ("PATCH", "/api/organizations/none", {"name": "a"}, 404, None),
        ("DELETE", "/api/organizations/none", None, 404, None),
        ("POST", "/api/teams", {"name": ""}, 400, "name"),
        ("POST", "/api/teams", {"name": "a", "organization": "none"}, 400, "organization"),
        ("POST", "/api/teams", {"name": "a", "limits": [{**LIMIT, "zone": "x"}]}, 400,
         "limits.0.zone"),
        ("GET", "/api/teams/none", None, 404, None),
        ("DELETE", f"/api/teams/{NOBODY}", None, 404, None),
        ("POST", "/api/keys", {"team": "none"}, 400, "team"),
        ("POST", "/api/keys", {"team": NOBODY}, 400, "team"),
        ("POST", "/api/keys", {"limits": [{**LIMIT, "per": "minute"}]}, 400, "limits.0"),
        ("POST", "/api/keys", {"limits": None}, 400, "limits"),
        ("POST", "/api/organizations/none/limits", LIMIT, 404, None),
        ("POST", "/api/teams/none/limits", LIMIT, 404, None),
        ("POST", f"/api/keys/{NOBODY}/limits", LIMIT, 404, None),
        ("POST", "/api/keys/me/limits", LIMIT, 400, "id"),
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
    assert answered.body["error"]["param"] == param, answered.body


async def test_wrong_input_to_one_limit_is_refused_by_its_name(running: RunningGateway) -> None:
    key = (await running.call("POST", "/api/keys", {})).body["id"]
    for order, param in (
        ({**LIMIT, "per": "minute"}, "measure"),
        ({**LIMIT, "per": "never"}, "per"),
        ({**LIMIT, "zone": "nowhere"}, "zone"),
        ({**LIMIT, "amount": "0.5"}, "amount"),
        ({**LIMIT, "cost": 1}, "cost"),
    ):
        answered = await running.call("POST", f"/api/keys/{key}/limits", order)
        assert (answered.status, answered.body["error"]["param"]) == (400, param), order
    answered = await running.call("DELETE", f"/api/keys/{key}/limits/mine")
    assert (answered.status, answered.body["error"]["param"]) == (400, "id")


async def test_a_name_that_is_taken_is_refused(running: RunningGateway) -> None:
    for name in ("acme", "other"):
        await running.call("POST", "/api/organizations", {"name": name})
        await running.call("POST", "/api/teams", {"name": "lab", "organization": name})
    for method, path, body, param in (
        ("POST", "/api/organizations", {"name": "acme"}, "name"),
        ("PATCH", "/api/organizations/other", {"name": "acme"}, "name"),
        ("POST", "/api/teams", {"name": "lab", "organization": "acme"}, "name"),
        ("GET", "/api/teams/lab", None, "team"),
        ("POST", "/api/keys", {"team": "lab"}, "team"),
    ):
        answered = await running.call(method, path, body)
        assert (answered.status, answered.body["error"]["param"]) == (400, param), (path, answered)
