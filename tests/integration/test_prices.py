"""Prices, beside those that providers list."""

from command_line import Langroute, told
from gateway_fixtures import Scene


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
