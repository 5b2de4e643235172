"""Pictures, speech and transcriptions as they come about, by OpenAI's own client and by hand,
through a running gateway."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import openai
import orjson
import pytest
from openai import AsyncOpenAI

from event_streams import without_comments
from gateway_fixtures import Scene, scene_on
from langroute.domain.money import Money
from langroute.domain.pictures import picture_tokens
from upstreams.openai_operations import PICTURE
from upstreams.operations import SOUND
from upstreams.turn import Turn

RECORDING = bytes(range(256)) * 10
MODELS = ("gpt-image-2", "gpt-4o-mini-tts", "gpt-4o-transcribe", "whisper-1", "tts-1")
BY_HAND = {"model": "gpt-image-2", "prompt": "A fish", "stream": True, "partial_images": 2}


@pytest.fixture
async def scene(database_url: str) -> AsyncIterator[Scene]:
    async with scene_on(database_url) as scene:
        for model in MODELS:
            await route(scene, model, "openai")
        for model in ("gpt-4o-transcribe", "gpt-4o-mini-tts"):
            body = {"provider": "openai", "model": model, "input": "5", "output": "30"}
            assert (await scene.running.call("POST", "/api/prices", body)).status == 201
        yield scene


async def route(scene: Scene, model: str, *providers: str) -> None:
    targets = [
        {"provider": provider, "model": model, "order": order}
        for order, provider in enumerate(providers)
    ]
    defined = await scene.running.call("PUT", f"/api/routes/{model}", {"targets": targets})
    assert defined.status == 200, defined


def client_of(scene: Scene) -> Any:
    """Untyped: the tests are of what it does."""
    return AsyncOpenAI(base_url=f"{scene.running.url}/v1", api_key=scene.key, max_retries=0)


def transcribed(client: Any, model: str = "gpt-4o-transcribe", **fields: Any) -> Any:
    file = ("speech.wav", RECORDING, "audio/wav")
    return client.audio.transcriptions.create(model=model, file=file, stream=True, **fields)


def drawn_by_hand(scene: Scene) -> Any:
    headers = {"Authorization": f"Bearer {scene.key}"}
    return scene.running.http.post("/v1/images/generations", json=BY_HAND, headers=headers)


async def test_openais_client_is_shown_a_picture_as_it_comes_about(scene: Scene) -> None:
    async with client_of(scene) as client:
        stream = await client.images.generate(
            model="gpt-image-2", prompt="A fish", partial_images=2, stream=True
        )
        *partial, completed = [event async for event in stream]
    assert [event.type for event in partial] == ["image_generation.partial_image"] * 2
    assert [event.partial_image_index for event in partial] == [0, 1]
    assert completed.type == "image_generation.completed"
    assert base64.b64decode(completed.b64_json) == PICTURE
    assert completed.usage.total_tokens == 150
    assert scene.openai.operations[0].body == BY_HAND
    (entry,) = await scene.running.entries()
    assert (entry["outcome"], entry["streamed"]) == ("succeeded", True)
    assert sum(entry["usage"].values()) == 150
    assert not entry["estimated"]


async def test_each_of_several_pictures_is_paid_for(scene: Scene) -> None:
    async with client_of(scene) as client:
        stream = await client.images.generate(
            model="gpt-image-2", prompt="Two", n=2, partial_images=0, stream=True
        )
        assert len([event async for event in stream]) == 2
    (entry,) = await scene.running.entries()
    assert sum(entry["usage"].values()) == 300


async def test_openais_client_is_shown_an_edit(scene: Scene) -> None:
    async with client_of(scene) as client:
        stream = await client.images.edit(
            model="gpt-image-2",
            image=("a.png", PICTURE, "image/png"),
            prompt="Bluer",
            partial_images=1,
            stream=True,
        )
        events = [event.type async for event in stream]
    assert events == ["image_edit.partial_image", "image_edit.completed"]
    (seen,) = scene.openai.operations
    assert seen.fields["stream"] == ["true"]
    assert seen.files[0].data == PICTURE


async def test_openais_client_reads_along_as_a_recording_is_transcribed(scene: Scene) -> None:
    async with client_of(scene) as client:
        *deltas, done = [event async for event in await transcribed(client)]
    assert "".join(event.delta for event in deltas) == done.text == f"{len(RECORDING)} bytes"
    (entry,) = await scene.running.entries()
    assert (entry["usage"]["input"], entry["usage"]["audio_input"]) == (4, 10)
    assert entry["usage"]["output"] == 6
    assert entry["cost_usd"] == str(Money(14 * 5_000_000 + 6 * 30_000_000))


async def test_openais_client_hears_speech_in_pieces(scene: Scene) -> None:
    async with (
        client_of(scene) as client,
        client.audio.speech.with_streaming_response.create(
            model="gpt-4o-mini-tts", input="Hello", voice="alloy", stream_format="sse"
        ) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-langroute-attempts"] == "openai/gpt-4o-mini-tts=ok"
        lines = [line async for line in response.iter_lines() if line.startswith("data: ")]
    *deltas, done = [orjson.loads(line.removeprefix("data: ")) for line in lines]
    assert b"".join(base64.b64decode(delta["audio"]) for delta in deltas) == SOUND
    assert done["type"] == "speech.audio.done"
    (entry,) = await scene.running.entries()
    assert (entry["usage"]["input"], entry["usage"]["audio_output"]) == (4, 40)


async def test_openais_client_takes_sound_as_it_is(scene: Scene) -> None:
    async with (
        client_of(scene) as client,
        client.audio.speech.with_streaming_response.create(
            model="tts-1", input="Hello", voice="alloy"
        ) as response,
    ):
        assert b"".join([piece async for piece in response.iter_bytes(64)]) == SOUND


async def test_a_model_without_events_answers_whole_as_it_does_without_a_gateway(
    scene: Scene,
) -> None:
    form = aiohttp.FormData({"model": "whisper-1", "stream": "true"})
    form.add_field("file", RECORDING, filename="a.wav")
    headers = {"Authorization": f"Bearer {scene.key}"}
    async with scene.running.http.post(
        "/v1/audio/transcriptions", data=form, headers=headers
    ) as response:
        assert response.content_type == "application/json"
        assert (await response.json())["text"] == f"{len(RECORDING)} bytes"
    (entry,) = await scene.running.entries()
    assert entry["usage"]["output"] == 6


async def test_events_are_named_and_come_with_a_receipt(scene: Scene) -> None:
    async with drawn_by_hand(scene) as response:
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["x-langroute-provider"] == "openai"
        events = without_comments(await response.text()).split("\n\n")
    assert [event.partition("\n")[0] for event in events] == [
        "event: image_generation.partial_image",
        "event: image_generation.partial_image",
        "event: image_generation.completed",
        "",
    ]


async def test_a_large_picture_passes(scene: Scene) -> None:
    picture = "A" * (20 * 2**20)
    event = {"type": "image_generation.completed", "b64_json": picture}
    raw = b"data: " + orjson.dumps(event) + b"\n\n"
    scene.openai.will(Turn(raw=[raw[at : at + 2**20] for at in range(0, len(raw), 2**20)]))
    async with drawn_by_hand(scene) as response:
        told = (await response.read()).partition(b"data: ")[2].partition(b"\n")[0]
    assert orjson.loads(told)["b64_json"] == picture
    (entry,) = await scene.running.entries()
    assert (entry["outcome"], entry["estimated"]) == ("succeeded", True)


async def test_a_provider_that_has_no_events_of_it_is_passed_over(scene: Scene) -> None:
    await route(scene, "gpt-4o-transcribe", "mistral", "openai")
    async with client_of(scene) as client:
        raw = await client.audio.transcriptions.with_raw_response.create(
            model="gpt-4o-transcribe", file=("a.wav", RECORDING), stream=True
        )
        assert [event.type async for event in raw.parse()][-1] == "transcript.text.done"
    attempts = "mistral/gpt-4o-transcribe=unsupported, openai/gpt-4o-transcribe=ok"
    assert raw.headers["x-langroute-attempts"] == attempts
    assert scene.mistral.seen == []


async def test_where_nobody_has_events_of_it_that_is_said(scene: Scene) -> None:
    await route(scene, "gpt-4o-transcribe", "mistral")
    async with client_of(scene) as client:
        with pytest.raises(openai.InternalServerError, match="in a stream") as caught:
            await transcribed(client)
    assert (caught.value.status_code, caught.value.code) == (501, "unsupported_operation")


async def test_a_failure_before_the_first_event_has_a_status(scene: Scene) -> None:
    scene.openai.fail(status=503)
    scene.openai.break_off(after_events=0)
    async with client_of(scene) as client:
        for _ in range(2):
            with pytest.raises(openai.InternalServerError):
                await transcribed(client)
    scene.openai.fail(status=400, param="language")
    async with client_of(scene) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await transcribed(client)
    assert caught.value.param == "language"


@pytest.mark.parametrize("how", [{"error_after": 1}, {"cut_after": 1}])
async def test_a_stream_that_breaks_off_ends_in_an_error_event(
    scene: Scene, how: dict[str, int]
) -> None:
    turn = Turn(cut_after=how.get("cut_after"), error_after=how.get("error_after"))
    scene.openai.will(turn)
    async with client_of(scene) as client:
        stream = await transcribed(client)
        assert (await anext(stream)).type == "transcript.text.delta"
        with pytest.raises(openai.APIError) as caught:
            await anext(stream)
    assert caught.value.code == "provider_broke_off"
    (entry,) = await scene.running.entries()
    assert (entry["outcome"], entry["error"]) == ("broken_off", "broken")
    # What was said until then, of a recording of so many bytes.
    assert entry["usage"]["output"] > 0
    assert entry["estimated"]


async def test_a_caller_who_leaves_hangs_up_on_the_provider(scene: Scene) -> None:
    scene.openai.hang(after_events=1)
    async with client_of(scene) as client:
        stream = await transcribed(client)
        await anext(stream)
        await stream.close()
    await scene.openai.operations[0].wait_for_hang_up()
    (entry,) = await scene.running.entries()
    assert (entry["outcome"], entry["estimated"]) == ("client_cancelled", True)
    assert len(await scene.running.entries()) == 1


async def test_a_picture_is_paid_for_by_who_leaves_when_it_can_be_seen(scene: Scene) -> None:
    scene.openai.hang(after_events=2)
    async with drawn_by_hand(scene) as response:
        seen = await response.content.readuntil(b"\n\n")
        assert b"partial_image" in seen
    await scene.openai.operations[0].wait_for_hang_up()
    (entry,) = await scene.running.entries()
    assert (entry["outcome"], entry["estimated"]) == ("client_cancelled", True)
    # At the size and quality that cost the most, since none were asked for.
    assert entry["usage"]["image_output"] == picture_tokens("gpt-image-2", BY_HAND) > 6_000


async def test_of_several_pictures_those_that_were_not_waited_for_are_paid_for(
    scene: Scene,
) -> None:
    scene.openai.hang(after_events=1)
    async with client_of(scene) as client:
        stream = await client.images.generate(
            model="gpt-image-2", prompt="Two", n=2, partial_images=0, stream=True
        )
        assert (await anext(stream)).type == "image_generation.completed"
        await stream.close()
    await scene.openai.operations[0].wait_for_hang_up()
    (entry,) = await scene.running.entries()
    assert (entry["outcome"], entry["estimated"]) == ("client_cancelled", True)
    both = 2 * picture_tokens("gpt-image-2", {})
    assert entry["usage"]["output"] + entry["usage"]["image_output"] == both


async def test_speech_is_paid_for_by_who_leaves_when_it_was_heard(scene: Scene) -> None:
    scene.openai.hang(after_events=2)
    text = "Hello, and a good day to all of you."
    async with (
        client_of(scene) as client,
        client.audio.speech.with_streaming_response.create(
            model="gpt-4o-mini-tts", input=text, voice="alloy", stream_format="sse"
        ) as response,
    ):
        await anext(response.iter_lines())
    await scene.openai.operations[0].wait_for_hang_up()
    (entry,) = await scene.running.entries()
    assert (entry["outcome"], entry["estimated"]) == ("client_cancelled", True)
    assert entry["usage"]["audio_output"] == len(text) * 1_250 // 900
