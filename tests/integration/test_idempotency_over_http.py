"""`Idempotency-Key`: a call that is sent again is answered as the first time, and made once."""

import asyncio
from typing import Any

import aiohttp
import pytest

from event_streams import without_comments
from gateway_fixtures import Answered, Scene, running_gateway, scene_on

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "one two three"}]}


async def asked(
    scene: Scene, name: str | None, path: str = "/v1/chat/completions", **more: Any
) -> Answered:
    body = more.pop("body", CHAT | more)
    async with scene.running.http.post(path, json=body, headers=headed(scene, name)) as got:
        return await Answered.of(got)


def headed(scene: Scene, name: str | None) -> dict[str, str]:
    named = {"Idempotency-Key": name} if name is not None else {}
    return {"Authorization": f"Bearer {scene.key}", **named}


def without_times(answered: Answered) -> dict[str, str]:
    ours = {"idempotent-replayed", "date", "content-length", "transfer-encoding", "connection"}
    return {name: value for name, value in answered.headers.items() if name not in ours}


async def test_a_call_that_is_sent_again_is_answered_as_the_first_time(scene: Scene) -> None:
    first = await asked(scene, "one")
    again = await asked(scene, "one")
    assert first.status == 200
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status, again.body) == (first.status, first.body)
    assert without_times(again) == without_times(first)
    assert len(scene.openai.seen) == 1
    other = await asked(scene, "two")
    assert other.headers["x-ratelimit-remaining-requests"] == "58"
    assert len(await scene.running.entries(2)) == 2


async def test_a_stream_is_sent_again_as_a_stream(scene: Scene) -> None:
    first = await asked(scene, "one", stream=True)
    again = await asked(scene, "one", stream=True)
    assert first.headers["content-type"].startswith("text/event-stream")
    assert without_comments(first.body).endswith("data: [DONE]\n\n")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.body == first.body
    assert without_times(again) == without_times(first)
    assert len(scene.openai.seen) == 1
    (entry,) = await scene.running.entries()
    assert entry["outcome"] == "succeeded"


@pytest.mark.parametrize("stream", [False, True])
async def test_who_asks_meanwhile_waits_for_the_first(scene: Scene, stream: bool) -> None:
    gate = scene.openai.hold(after_events=1 if stream else None)
    async with asyncio.timeout(20):
        first = asyncio.create_task(asked(scene, "one", stream=stream))
        await gate.reached.wait()
        others = [asyncio.create_task(asked(scene, "one", stream=stream)) for _ in range(5)]
        _, waiting = await asyncio.wait(others, timeout=0.3)
        assert len(waiting) == 5
        gate.open()
        answers = await asyncio.gather(first, *others)
    assert len({answered.headers["x-request-id"] for answered in answers}) == 1
    assert [answered.headers.get("idempotent-replayed") for answered in answers[1:]] == ["true"] * 5
    assert len(scene.openai.seen) == 1


async def test_the_same_name_for_another_call_is_refused(scene: Scene) -> None:
    await asked(scene, "one")
    for more in ({"max_tokens": 7}, {"stream": True}):
        refused = await asked(scene, "one", body=CHAT | more)
        assert refused.status == 422
        assert refused.body["error"]["code"] == "idempotency_key_reused"
    elsewhere = await asked(scene, "one", "/v1/messages", max_tokens=7)
    assert elsewhere.status == 422
    assert elsewhere.body["type"] == "error"
    assert (await asked(scene, "one", "/chat/completions")).headers["idempotent-replayed"]
    # In another order, it is the same.
    turned = dict(reversed(CHAT.items()))
    assert (await asked(scene, "one", body=turned)).headers["idempotent-replayed"]


async def test_names_of_another_key_are_its_own(scene: Scene) -> None:
    await asked(scene, "one")
    other = await scene.running.new_key()
    headers = headed(scene, "one") | {"Authorization": f"Bearer {other}"}
    async with scene.running.http.post("/v1/chat/completions", json=CHAT, headers=headers) as got:
        answered = await Answered.of(got)
    assert "idempotent-replayed" not in answered.headers


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_failure_is_not_kept(scene: Scene, status: int) -> None:
    scene.openai.fail(status=status)
    scene.mistral.fail(status=status)
    failed = await asked(scene, "one")
    assert failed.status >= 429
    answered = await asked(scene, "one")
    assert answered.status == 200
    assert "idempotent-replayed" not in answered.headers


async def test_a_stream_that_broke_off_is_not_kept(scene: Scene) -> None:
    scene.openai.cut(after_events=2)
    assert "[DONE]" not in (await asked(scene, "one", stream=True)).body
    answered = await asked(scene, "one", stream=True)
    assert without_comments(answered.body).endswith("data: [DONE]\n\n")
    assert "idempotent-replayed" not in answered.headers


async def test_a_mistake_of_the_callers_is_kept(scene: Scene) -> None:
    refusals = [await asked(scene, "one", max_tokens="many") for _ in range(2)]
    assert [refused.status for refused in refusals] == [400, 400]
    assert refusals[1].headers["idempotent-replayed"] == "true"
    assert refusals[1].body == refusals[0].body


@pytest.mark.parametrize("stream", [False, True])
async def test_who_hangs_up_may_come_back_for_the_answer(scene: Scene, stream: bool) -> None:
    gate = scene.openai.hold(after_events=1 if stream else None)
    async with asyncio.timeout(20):
        leaving = asyncio.create_task(asked(scene, "one", stream=stream))
        await gate.reached.wait()
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        back = asyncio.create_task(asked(scene, "one", stream=stream))
        await asyncio.wait([back], timeout=0.2)
        gate.open()
        answered = await back
    assert answered.status == 200
    assert answered.headers["idempotent-replayed"] == "true"
    assert len(scene.openai.seen) == 1
    (entry,) = await scene.running.entries()
    assert entry["outcome"] == "succeeded"


async def test_without_a_name_a_hang_up_ends_the_call(scene: Scene) -> None:
    gate = scene.openai.hold()
    async with asyncio.timeout(20):
        leaving = asyncio.create_task(asked(scene, None))
        await gate.reached.wait()
        leaving.cancel()
        await scene.openai.seen[0].wait_for_hang_up()


@pytest.mark.parametrize("name", ["", "x" * 256])
async def test_a_name_that_is_none_is_refused(scene: Scene, name: str) -> None:
    refused = await asked(scene, name)
    assert (refused.status, refused.body["error"]["param"]) == (400, "idempotency-key")


async def test_a_key_that_is_none_is_refused_first(scene: Scene) -> None:
    headers = {"Authorization": "Bearer nobody", "Idempotency-Key": "one"}
    async with scene.running.http.post("/v1/messages", json=CHAT, headers=headers) as got:
        assert (got.status, (await got.json())["type"]) == (401, "error")


async def test_a_form_is_the_same_whatever_is_drawn_between_its_parts(scene: Scene) -> None:
    route = {"targets": [{"provider": "openai", "model": "whisper-1"}]}
    await scene.running.call("PUT", "/api/routes/whisper-1", route)

    async def transcribed() -> Answered:
        form = aiohttp.FormData({"model": "whisper-1"})
        form.add_field("file", b"RIFF", filename="a.wav", content_type="audio/wav")
        headers = headed(scene, "one")
        async with scene.running.http.post(
            "/v1/audio/transcriptions", data=form, headers=headers
        ) as got:
            return await Answered.of(got)

    first, again = await transcribed(), await transcribed()
    assert first.status == 200, first
    assert again.headers["idempotent-replayed"] == "true"
    assert again.body == first.body


async def test_an_answer_is_known_to_every_process_and_outlives_each(database_url: str) -> None:
    async with scene_on(database_url) as scene:
        gate = scene.openai.hold()

        async def elsewhere() -> Answered:
            async with running_gateway(database_url) as other:
                headers, path = headed(scene, "one"), "/v1/chat/completions"
                async with other.http.post(path, json=CHAT, headers=headers) as got:
                    return await Answered.of(got)

        async with asyncio.timeout(30):
            first = asyncio.create_task(asked(scene, "one"))
            await gate.reached.wait()
            meanwhile = asyncio.create_task(elsewhere())
            _, waiting = await asyncio.wait([meanwhile], timeout=1)
            assert waiting
            gate.open()
            answers = [await meanwhile, await elsewhere()]
        for again in answers:
            assert again.headers["idempotent-replayed"] == "true"
            assert again.body == (await first).body
        assert len(scene.openai.seen) == 1


async def test_what_nobody_waits_for_is_ended_and_paid_for_when_the_server_stops(
    database_url: str,
) -> None:
    async with scene_on(database_url) as scene:
        gate = scene.openai.hold()
        async with asyncio.timeout(20):
            leaving = asyncio.create_task(asked(scene, "one"))
            await gate.reached.wait()
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
    async with scene_on(database_url) as scene:
        (entry,) = await scene.running.entries()
        assert (entry["outcome"], entry["estimated"]) == ("client_cancelled", True)


async def test_what_is_too_large_to_keep_is_answered_all_the_same(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene.running.container.idempotent_replies(), "largest", 100)
    for stream in (False, True):
        first = await asked(scene, f"{stream}", stream=stream)
        again = await asked(scene, f"{stream}", stream=stream)
        assert (first.status, again.status) == (200, 200)
        assert "idempotent-replayed" not in again.headers
