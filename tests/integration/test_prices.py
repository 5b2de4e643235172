"""Prices, beside those that providers list."""

from decimal import Decimal
from typing import Any

import pytest

from command_line import Langroute, told
from gateway_fixtures import RunningGateway, Scene


async def test_the_command_line_brings_prices_up_to_the_list(cli: Langroute) -> None:
    """What is seeded is what is listed; one model is free, and has no price."""
    (free,) = await told(cli, "prices", "diff")
    assert free["model"] == "omni-moderation-latest"
    assert (free["stored"], free["listed"]) == (None, None)
    sql = (
        "update langroute.prices set image_input_usd_per_mtok = null, source = 'genai-prices 0.0.1'"
        " where model = 'gpt-image-2'"
    )
    assert (await cli("psql", "-c", sql)).returncode == 0
    await told(cli, "prices", "set", "openai", "gpt-4o", "--input", "1", "--output", "2")

    own, older, _ = await told(cli, "prices", "diff")
    assert (own["model"], own["is_operators"]) == ("gpt-4o", True)
    assert {"input", "output"} <= set(own["differs_in"])
    assert (older["model"], older["is_operators"]) == ("gpt-image-2", False)
    assert older["differs_in"] == ["image_input"]
    assert (older["stored"]["image_input"], older["listed"]["image_input"]) == (None, "8")

    table = await cli("prices", "sync")
    assert "image_input: - → 8" in table.stdout
    assert "--apply" in table.stderr
    assert len(await told(cli, "prices", "diff")) == 3
    steps = await told(cli, "prices", "sync", "--apply")
    assert [step["step"] for step in steps] == ["keep", "replace", "nothing"]
    own, _ = await told(cli, "prices", "diff")
    steps = await told(cli, "prices", "sync", "--apply", "--force")
    assert [step["step"] for step in steps] == ["replace", "nothing"]
    assert await told(cli, "prices", "diff") == [free]
    dated = [
        row
        for row in await told(cli, "prices", "list", "--provider", "openai")
        if row["model"] == "gpt-4o"
    ]
    assert [row["source"].split()[0] for row in dated][-2:] == ["operator", "genai-prices"]


async def test_the_same_over_http_and_what_was_charged_stays(scene: Scene) -> None:
    running = scene.running
    await scene.chat()
    (before,) = await running.entries()
    price = {"provider": "openai", "model": "gpt-4o-mini", "input": "1000", "output": "1000"}
    await running.call("POST", "/api/prices", price)

    differing = (await running.call("GET", "/api/prices/diff")).body["data"]
    assert [each["model"] for each in differing] == ["gpt-4o-mini", "omni-moderation-latest"]
    shown = (await running.call("POST", "/api/prices/sync")).body
    assert (shown["applied"], [each["step"] for each in shown["data"]]) == (
        False,
        ["keep", "nothing"],
    )
    body = {"apply": True, "force": True}
    done = (await running.call("POST", "/api/prices/sync", body)).body
    assert (done["applied"], done["data"][0]["step"]) == (True, "replace")
    assert len((await running.call("GET", "/api/prices/diff")).body["data"]) == 1

    await scene.chat()
    after, unchanged = await running.entries(2)
    assert unchanged == before
    assert after["cost_usd"] == before["cost_usd"]


async def test_a_wrong_field_is_refused_by_its_name(scene: Scene) -> None:
    refused = await scene.running.call("POST", "/api/prices/sync", {"aply": True})

    assert (refused.status, refused.body["error"]["param"]) == (400, "aply")


async def test_past_calls_are_charged_anew_at_a_price_that_is_put_right(scene: Scene) -> None:
    running = scene.running
    for _ in range(2):
        await scene.chat()
    entries = await running.entries(2)
    before = sum(Decimal(entry["cost_usd"]) for entry in entries)
    tokens = sum(sum(entry["usage"].values()) for entry in entries)
    price = {
        "provider": "openai",
        "model": "gpt-4o-mini",
        "input": "1000",
        "output": "1000",
        "effective_from": entries[-1]["at"],
    }
    await running.call("POST", "/api/prices", price)
    which = {
        "provider": "openai",
        "model": "gpt-4o-mini",
        "from": "2020-01-01T00:00:00Z",
        "until": "2999-01-01T00:00:00Z",
    }

    told_only = (await running.call("POST", "/api/prices/re-rate", which)).body
    after = tokens * Decimal(1000) / 10**6
    assert (told_only["applied"], told_only["calls"], told_only["changed"]) == (False, 2, 2)
    assert Decimal(told_only["cost_usd_before"]) == before
    assert Decimal(told_only["cost_usd_after"]) == after
    assert Decimal(told_only["difference_usd"]) == after - before
    (line,) = (await running.call("GET", "/api/spend")).body["data"]
    assert Decimal(line["cost_usd"]) == before

    body = {**which, "apply": True, "reason": "a wrong price"}
    done = (await running.call("POST", "/api/prices/re-rate", body)).body
    assert done == {**told_only, "applied": True}
    (line,) = (await running.call("GET", "/api/spend")).body["data"]
    assert (line["calls"], Decimal(line["cost_usd"])) == (2, after)
    (note,) = (await running.call("GET", "/api/audit?kind=ledger")).body["data"]
    assert (note["actor"], note["action"]) == ("development", "re-rated")
    assert (note["name"], note["reason"]) == ("openai/gpt-4o-mini", "a wrong price")
    again = (await running.call("POST", "/api/prices/re-rate", body)).body
    assert (again["calls"], again["changed"]) == (2, 0)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "m", "from": "2026-01-01", "until": "2026-02-01"}, "provider"),
        ({"provider": "p\0", "model": "m", "from": "2026-01-01", "until": "2026-02-01"},
         "provider"),
        ({"provider": "p", "model": "m", "from": "2026-01-01", "until": "soon"}, "until"),
        ({"provider": "p", "model": "m", "from": "2026-01-01", "until": "2026-01-01"}, "until"),
        ({"provider": "p", "model": "m", "from": "2026-01-01", "until": "2026-02-01",
          "apply": True}, "reason"),
    ],
)  # fmt: skip
async def test_a_wrong_re_rating_is_refused_by_its_name(
    shared_gateway: RunningGateway, body: dict[str, Any], param: str
) -> None:
    refused = await shared_gateway.call("POST", "/api/prices/re-rate", body)

    assert (refused.status, refused.body["error"]["param"]) == (400, param)


async def test_re_rating_nothing_from_the_command_line(cli: Langroute) -> None:
    which = ("--provider", "openai", "--model", "m", "--from", "2026-01-01", "--until")
    done = await told(cli, "prices", "re-rate", *which, "2026-02-01")
    assert (done["calls"], done["difference_usd"]) == (0, "0.00")
    wrong = await cli("prices", "re-rate", *which, "2026-02-01", "--apply")
    assert wrong.returncode == 1
    assert "reason" in wrong.stderr
