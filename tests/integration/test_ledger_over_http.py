"""Corrections, reports and what happens without the store, as callers and administrators see it."""

import asyncio
import csv
import io
import json
import time
from uuid import uuid4

import pytest

from gateway_fixtures import RunningGateway, Scene, scene_on
from postgres_fixtures import Server


async def test_a_call_is_corrected_with_a_reason_and_reports_follow(scene: Scene) -> None:
    await scene.chat(user="ann")
    (entry,) = await scene.running.entries()
    path = f"/api/ledger/{entry['request_id']}"

    corrected = await scene.running.call(
        "POST",
        f"{path}/corrections",
        {"reason": "the bill", "cost_usd": "0.5", "usage": {"output": 1}},
    )

    assert corrected.status == 201, corrected
    told = (await scene.running.call("GET", path)).body
    assert told == corrected.body
    assert {name: told[name] for name in entry} == entry  # as it was
    (correction,) = told["corrections"]
    assert (correction["number"], correction["reason"]) == (1, "the bill")
    assert told["comes_to"]["cost_usd"] == "0.50"
    assert told["comes_to"]["usage"]["output"] == 1
    for by in ("key", "team", "organization", "end_user", "model", "provider", "tag", "day"):
        (line,) = (await scene.running.call("GET", f"/api/spend?by={by}")).body["data"]
        assert (line["calls"], line["cost_usd"]) == (1, "0.50"), by
    (line,) = (await scene.running.call("GET", "/api/spend?by=end_user")).body["data"]
    assert line["name"] == "ann"
    key = (await scene.running.call("GET", "/api/audit?kind=ledger")).body["data"]
    assert [change["reason"] for change in key] == ["the bill"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"cost_usd": "1"}, "reason"),
        ({"reason": "r"}, "cost_usd"),
        ({"reason": "r", "cost_usd": "-1"}, "cost_usd"),
        ({"reason": "r", "cost_usd": "0.0000000000001"}, "cost_usd"),
        ({"reason": "r", "cost_usd": "1", "usage": {"input": -1}}, "usage.input"),
        ({"reason": "r", "cost_usd": "1", "usage": {"words": 1}}, "usage.words"),
        ({"reason": "r", "cost_usd": "1", "amount": 1}, "amount"),
    ],
)
async def test_a_correction_that_makes_no_sense_is_refused(
    scene: Scene, body: dict[str, object], param: str
) -> None:
    await scene.chat()
    (entry,) = await scene.running.entries()

    refused = await scene.running.call(
        "POST", f"/api/ledger/{entry['request_id']}/corrections", body
    )

    assert (refused.status, refused.body["error"]["param"]) == (400, param)


async def test_a_call_that_is_not_there_is_a_404(shared_gateway: RunningGateway) -> None:
    path = f"/api/ledger/req_{uuid4().hex}"
    assert (await shared_gateway.call("GET", path)).status == 404
    body = {"reason": "r", "cost_usd": "1"}
    assert (await shared_gateway.call("POST", f"{path}/corrections", body)).status == 404
    assert (await shared_gateway.call("GET", "/api/ledger/none")).status == 400


async def test_reports_are_csv_where_that_is_wanted(scene: Scene) -> None:
    await scene.chat(user="=HYPERLINK(1)")
    (entry,) = await scene.running.entries()

    spend = await scene.running.call("GET", "/api/spend?by=end_user&format=csv")
    assert spend.headers["content-type"] == "text/csv; charset=utf-8"
    (line,) = csv.DictReader(io.StringIO(spend.body))
    assert (line["name"], line["calls"]) == ("'=HYPERLINK(1)", "1")
    assert line["cost_usd"] == entry["cost_usd"]

    ledger = await scene.running.call("GET", "/api/ledger?format=csv")
    (row,) = csv.DictReader(io.StringIO(ledger.body))
    assert row["request_id"] == entry["request_id"]
    assert row["usage.output"] == str(entry["usage"]["output"])
    wrong = await scene.running.call("GET", "/api/spend?format=xml")
    assert (wrong.status, wrong.body["error"]["param"]) == (400, "format")


async def test_without_the_store_calls_are_refused_where_that_is_wanted(server: Server) -> None:
    async with server.databases.url() as url, scene_on(url, store_away="refuse") as scene:
        assert (await scene.chat()).status == 200
        await scene.running.entries()

        await server.stop()
        scene.openai.hang(after_events=1)
        began = time.monotonic()
        first = await scene.chat(stream=True)
        assert time.monotonic() - began < 10
        for refused in (first, await scene.chat()):
            assert refused.status == 503
            assert refused.body["error"]["code"] == "store_unavailable"
            assert refused.body["error"]["message"].startswith("The ledger cannot be reached")
            assert refused.headers["retry-after"] == "1"
        assert len(scene.openai.seen) == 2  # the last one was not even asked
        async with asyncio.timeout(20):
            await scene.openai.seen[1].hung_up.wait()

        async with server.running():
            async with asyncio.timeout(15):
                while (await scene.chat()).status != 200:
                    await asyncio.sleep(0.05)
            entries = await scene.running.entries(3)
        failed = [entry for entry in entries if entry["outcome"] == "failed"]
        assert [entry["error"] for entry in failed] == ["StoreUnavailable"]
        assert first.headers["x-request-id"] == failed[0]["request_id"]
        assert first.headers["x-langroute-cost"] == failed[0]["cost_usd"] != "0.00"
        assert "x-langroute-cost" not in refused.headers
        assert len(entries) == 3


async def test_every_answer_has_a_reservation_of_its_own(scene: Scene) -> None:
    await asyncio.gather(*(scene.chat() for _ in range(30)))
    entries = await scene.running.entries(30)

    connection = await scene.running.container.database().connect()
    rows = await connection.fetch("select * from langroute.reservations")
    await connection.close()

    assert {f"req_{row['request_id'].hex}" for row in rows} == {
        entry["request_id"] for entry in entries
    }
    claims = json.loads(rows[0]["claims"])
    assert {claim["measure"] for claim in claims} == {"requests", "tokens"}
    assert {row["store"] for row in rows} == {"memory"}
